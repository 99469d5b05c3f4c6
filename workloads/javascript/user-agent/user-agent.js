// Counts browsers and their versions in the User-Agent lines on standard input, ITERATIONS times.

import { print, readText, repeat } from "input";

// The first one that occurs counts.
const RULES = [
  [/Googlebot\/(\d{0,9})/, "Googlebot"],
  [/bingbot\/(\d{0,9})/, "bingbot"],
  [/Edg\/(\d{0,9})/, "Edge"],
  [/OPR\/(\d{0,9})/, "Opera"],
  [/SamsungBrowser\/(\d{0,9})/, "Samsung Internet"],
  [/Firefox\/(\d{0,9})/, "Firefox"],
  [/FxiOS\/(\d{0,9})/, "Firefox"],
  [/CriOS\/(\d{0,9})/, "Chrome"],
  [/Chrome\/(\d{0,9})/, "Chrome"],
  [/Version\/(\d{0,9})/, "Safari", "Safari/"],
  [/curl\/(\d{0,9})/, "curl"],
];

function classify(line) {
  for (const [pattern, name, also = ""] of RULES) {
    const match = pattern.exec(line);
    if (match && line.includes(also)) return `${name} ${Number(match[1])}`;
  }
  return "other 0";
}

/** By name, then by version. */
function compare([a], [b]) {
  const [x, y] = [a, b].map((browser) => browser.lastIndexOf(" "));
  const [left, right] = [a.slice(0, x), b.slice(0, y)];
  if (left !== right) return left < right ? -1 : 1;
  return Number(a.slice(x)) - Number(b.slice(y));
}

function count(text) {
  const visits = new Map();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const browser = classify(line);
    visits.set(browser, (visits.get(browser) ?? 0) + 1);
  }
  return [...visits].sort(compare).map(([browser, number]) => `${browser} ${number}\n`).join("");
}

export default function () {
  let text;
  print(repeat(() => count((text ??= readText()))));
}
