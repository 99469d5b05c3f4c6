//! Adds up the orders in a JSON document on standard input, per customer, and answers in JSON.

use input::Refusal;
use std::{collections::BTreeMap, hint::black_box, process::ExitCode};

mod answer;
mod order;

use answer::{Answer, Customer};
use order::Order;

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let iterations = input::iterations()?;
    let document = input::stdin()?;
    input::repeat(iterations, || summarise(black_box(&document)))
}

fn summarise(document: &[u8]) -> Result<String, Refusal> {
    let refuse = |what: String| Refusal::stdin(format!("{what:?}"));
    let document = std::str::from_utf8(document).map_err(|e| refuse(e.to_string()))?;
    let orders: Vec<Order> = serde_json::from_str(document).map_err(|e| refuse(e.to_string()))?;

    let mut customers: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for Order { customer, cents } in orders {
        let sums = customers.entry(customer).or_default();
        sums.0 += 1;
        sums.1 += cents;
    }
    let customers: Vec<_> =
        customers.into_iter().map(|(customer, (orders, cents))| Customer { customer, orders, cents }).collect();
    let orders = customers.iter().map(|c| c.orders).sum();
    let cents = customers.iter().map(|c| c.cents).sum();
    Ok(Answer { customers, orders, cents }.to_json())
}

#[cfg(test)]
mod tests {
    use super::summarise;

    #[test]
    fn adds_up_per_customer_in_the_order_of_bytes() {
        let document = r#"[
            {"customer": "b", "items": [{"quantity": 2, "cents": 50}, {"cents": 1, "quantity": 1, "sku": "x"}]},
            {"customer": "a\n", "items": []},
            {"customer": "a", "customer": "b", "items": [{"quantity": 1, "cents": 9}]}
        ]"#;
        assert_eq!(
            summarise(document.as_bytes()).unwrap(),
            r#"{"customers":[{"customer":"a\u000a","orders":1,"cents":0},{"customer":"b","orders":2,"cents":110}],"orders":3,"cents":110}"#
        );
    }

    #[test]
    fn refuses_in_one_line() {
        for document in
            [&b""[..], b"{}", b"[[]]", b"[{\"customer\":\"\n\"}]", b"[{\"customer\":\"A\",\"items\":[{}]}]", b"\xff"]
        {
            let said = summarise(document).unwrap_err().to_string();
            assert!(said.starts_with("standard input: ") && said.lines().count() == 1, "{said}");
        }
    }
}
