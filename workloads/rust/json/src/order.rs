//! What is read of an order. The visitors are written by hand, for a derived one refuses a member that occurs twice.

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use std::fmt;

const MOST: u64 = 1_000_000;

/// A customer's order and what it costs.
pub struct Order {
    pub customer: String,
    pub cents: u64,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum OrderMember {
    Customer,
    Items,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderVisitor)
    }
}

struct OrderVisitor;

impl<'de> Visitor<'de> for OrderVisitor {
    type Value = Order;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an order")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Order, A::Error> {
        let (mut customer, mut items) = (None, None);
        while let Some(member) = map.next_key()? {
            match member {
                OrderMember::Customer => customer = Some(map.next_value()?),
                OrderMember::Items => items = Some(map.next_value::<Vec<Item>>()?),
                OrderMember::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let customer = customer.ok_or_else(|| A::Error::missing_field("customer"))?;
        let items = items.ok_or_else(|| A::Error::missing_field("items"))?;
        Ok(Order { customer, cents: items.iter().map(|item| item.cents).sum() })
    }
}

/// What an item costs: quantity * cents.
struct Item {
    cents: u64,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum ItemMember {
    Quantity,
    Cents,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let (mut quantity, mut cents) = (None, None);
        while let Some(member) = map.next_key()? {
            match member {
                ItemMember::Quantity => quantity = Some(map.next_value::<u64>()?),
                ItemMember::Cents => cents = Some(map.next_value::<u64>()?),
                ItemMember::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let quantity = quantity.ok_or_else(|| A::Error::missing_field("quantity"))?;
        let cents = cents.ok_or_else(|| A::Error::missing_field("cents"))?;
        if quantity > MOST || cents > MOST {
            return Err(A::Error::custom("quantity or cents is above 1000000"));
        }
        Ok(Item { cents: quantity * cents })
    }
}
