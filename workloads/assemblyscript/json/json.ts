// Adds up the orders in a JSON document on standard input, per customer, and answers in JSON, ITERATIONS times.

import { iterations, print, read } from "../common/input";
import { Reader, quoted } from "../common/json";

const MOST: u64 = 1_000_000;

class Customer {
  orders: u64 = 0;
  cents: u64 = 0;

  constructor(public name: string) {}

  toString(): string {
    return `{"customer":${quoted(this.name)},"orders":${this.orders},"cents":${this.cents}}`;
  }
}

/** The order of the names' bytes in UTF-8, which is that of their code points. */
function compare(a: Customer, b: Customer): i32 {
  const length = min(a.name.length, b.name.length);
  for (let i = 0; i < length; ++i) {
    if (a.name.charCodeAt(i) != b.name.charCodeAt(i)) return a.name.codePointAt(i) - b.name.codePointAt(i);
  }
  return a.name.length - b.name.length;
}

function item(json: Reader): u64 {
  let quantity: u64 = u64.MAX_VALUE;
  let cents: u64 = u64.MAX_VALUE;
  json.open("{");
  for (let first = true; json.more("}", first); first = false) {
    const name = json.name();
    if (name == "quantity") quantity = json.whole(MOST);
    else if (name == "cents") cents = json.whole(MOST);
    else json.skipValue();
  }
  if (quantity > MOST || cents > MOST) json.fail("an item has no quantity or cents");
  return quantity * cents;
}

function items(json: Reader): u64 {
  let cents: u64 = 0;
  json.open("[");
  for (let first = true; json.more("]", first); first = false) cents += item(json);
  return cents;
}

function order(json: Reader, customers: Map<string, Customer>): void {
  let who: string | null = null;
  let cents: u64 = 0;
  let hasItems = false;
  json.open("{");
  for (let first = true; json.more("}", first); first = false) {
    const name = json.name();
    if (name == "customer") {
      who = json.string();
    } else if (name == "items") {
      cents = items(json);
      hasItems = true;
    } else {
      json.skipValue();
    }
  }
  if (who === null || !hasItems) return json.fail("an order has no customer or items");
  if (!customers.has(who)) customers.set(who, new Customer(who));
  const customer = customers.get(who);
  customer.orders += 1;
  customer.cents += cents;
}

function summarise(document: ArrayBuffer): string {
  const json = new Reader(String.UTF8.decode(document));
  const customers = new Map<string, Customer>();
  json.open("[");
  for (let first = true; json.more("]", first); first = false) order(json, customers);
  json.end();

  const sorted = customers.values().sort(compare);
  let orders: u64 = 0;
  let cents: u64 = 0;
  for (let i = 0; i < sorted.length; ++i) {
    orders += sorted[i].orders;
    cents += sorted[i].cents;
  }
  return `{"customers":[${sorted.join(",")}],"orders":${orders},"cents":${cents}}\n`;
}

const times = iterations();
const document = read();
let answer = "";
for (let i = times; i > 0; --i) answer = summarise(document);
print(answer);
