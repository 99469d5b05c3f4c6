// Counts browsers and their versions in the User-Agent lines on standard input, ITERATIONS times.

import { iterations, print, read } from "../common/input";

const MOST_DIGITS: i32 = 9;

class Rule {
  constructor(public token: string, public name: string, public also: string = "") {}
}

// The first one that occurs counts.
const RULES: Rule[] = [
  new Rule("Googlebot/", "Googlebot"),
  new Rule("bingbot/", "bingbot"),
  new Rule("Edg/", "Edge"),
  new Rule("OPR/", "Opera"),
  new Rule("SamsungBrowser/", "Samsung Internet"),
  new Rule("Firefox/", "Firefox"),
  new Rule("FxiOS/", "Firefox"),
  new Rule("CriOS/", "Chrome"),
  new Rule("Chrome/", "Chrome"),
  new Rule("Version/", "Safari", "Safari/"),
  new Rule("curl/", "curl"),
];

class Browser {
  visits: u32 = 0;

  constructor(public name: string, public version: u32) {}
}

function version(line: string, at: i32): u32 {
  let version: u32 = 0;
  for (let end = min(at + MOST_DIGITS, line.length); at < end; ++at) {
    const digit = <u32>(line.charCodeAt(at) - 0x30);
    if (digit > 9) break;
    version = version * 10 + digit;
  }
  return version;
}

function classify(line: string): Browser {
  for (let i = 0; i < RULES.length; ++i) {
    const rule = RULES[i];
    const at = line.indexOf(rule.token);
    if (at >= 0 && line.includes(rule.also)) return new Browser(rule.name, version(line, at + rule.token.length));
  }
  return new Browser("other", 0);
}

function compare(a: Browser, b: Browser): i32 {
  if (a.name != b.name) return a.name < b.name ? -1 : 1;
  return <i32>(a.version > b.version) - <i32>(a.version < b.version);
}

function count(bytes: ArrayBuffer): string {
  const lines = String.UTF8.decode(bytes).split("\n");
  const browsers = new Map<string, Browser>();
  for (let i = 0; i < lines.length; ++i) {
    if (lines[i].length == 0) continue;
    const browser = classify(lines[i]);
    const key = `${browser.name} ${browser.version}`;
    if (!browsers.has(key)) browsers.set(key, browser);
    browsers.get(key).visits++;
  }
  return browsers
    .values()
    .sort(compare)
    .map<string>((browser) => `${browser.name} ${browser.version} ${browser.visits}\n`)
    .join("");
}

const times = iterations();
const input = read();
let answer = "";
for (let i = times; i > 0; --i) answer = count(input);
print(answer);
