## Greets whoever NAME names.

import input

echo "Hello, ", text("NAME"), "!"
