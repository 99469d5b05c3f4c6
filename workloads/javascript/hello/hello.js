// Greets whoever NAME names.

import { text } from "input";

export default function () {
  console.log(`Hello, ${text("NAME")}!`);
}
