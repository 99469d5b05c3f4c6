// Adds up the orders in a JSON document on standard input, per customer, and answers in JSON, ITERATIONS times.

import { print, readText, refuse, repeat } from "input";

const MOST = 1_000_000;

class BadOrder extends Error {}

function check(condition, what) {
  if (!condition) throw new BadOrder(what);
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const isAmount = (value) => Number.isInteger(value) && value >= 0 && value <= MOST;

function centsOf(item) {
  check(isObject(item), "an item is no object");
  const { quantity, cents } = item;
  check(isAmount(quantity) && isAmount(cents), `an item has no quantity or cents from 0 to ${MOST}`);
  return quantity * cents;
}

/** The order of the bytes in UTF-8 is that of the code points; `<` would compare the units of UTF-16. */
function byCodePoints(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = a.codePointAt(i) - b.codePointAt(i);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** JSON.stringify would write \n and its like. */
function quoted(text) {
  const escape = (character) =>
    character < " " ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : `\\${character}`;
  return `"${text.replace(/["\\\u0000-\u001f]/g, escape)}"`;
}

function summarise(document) {
  const list = JSON.parse(document);
  check(Array.isArray(list), "it is no array");
  const customers = new Map();
  const all = { orders: 0, cents: 0 };
  for (const order of list) {
    check(isObject(order), "an order is no object");
    const { customer, items } = order;
    check(typeof customer === "string" && Array.isArray(items), "an order has no customer or items");
    if (!customers.has(customer)) customers.set(customer, { orders: 0, cents: 0 });
    const cents = items.reduce((sum, item) => sum + centsOf(item), 0);
    for (const sum of [customers.get(customer), all]) {
      sum.orders++;
      sum.cents += cents;
    }
  }
  const lines = [...customers.keys()].sort(byCodePoints).map((name) => {
    const { orders, cents } = customers.get(name);
    return `{"customer":${quoted(name)},"orders":${orders},"cents":${cents}}`;
  });
  return `{"customers":[${lines.join(",")}],"orders":${all.orders},"cents":${all.cents}}\n`;
}

export default function () {
  let document;
  try {
    print(repeat(() => summarise((document ??= readText()))));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof BadOrder)) throw error;
    refuse("standard input", error.message.split("\n")[0]);
  }
}
