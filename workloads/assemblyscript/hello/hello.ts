// Greets whoever NAME names.

import { text } from "../common/input";

console.log(`Hello, ${text("NAME")}!`);
