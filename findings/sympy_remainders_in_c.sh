#!/usr/bin/env bash
# sympy 1.14.0: Mod(x, 3) has the sign of its divisor, as % in Python. ccode and cxxcode write fmod for it, which in C has the
# sign of the dividend. So the code of an expression gives other numbers than the expression wherever the two differ in sign,
# unless the remainder is 0: at -1 the code of Mod(x, 3) gives -1 where SymPy and the function of lambdify give 2. No error or
# warning is raised. For symbols that are integers ccode writes the longer form that is right.
# Seen (the C code; and of each expression at some numbers the value by SymPy, by lambdify, and by the code, which Python can
# evaluate too, with its own fmod, which is that of C):
#   Mod(x, 3): fmod(x, 3); C++ std::fmod(x, 3)
#     at 5: 2, 2, 2
#     at -1: 2, 2, -1
#     at -2.5: 0.5, 0.5, -2.5
#   Mod(x, -3): fmod(x, -3); C++ std::fmod(x, -3)
#     at 5: -1, -1, 2
#     at -1: -1, -1, -1
#     at -2.5: -2.5, -2.5, -2.5
#   x - Mod(x, 1): x - (fmod(x, 1)); C++ x - (std::fmod(x, 1))
#     at 5: 5, 5, 5
#     at -1: -1, -1, -1
#     at -2.5: -3, -3, -2
#   Mod(n, 3): ((n % 3) + 3) % 3; C++ ((n % 3) + 3) % 3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check sympy==1.14.0

cat > "$folder/seen.py" <<'PY'
import math
import warnings

from sympy import Mod, Symbol, ccode, cxxcode, lambdify

warnings.simplefilter("error")
x, n = Symbol("x", real=True), Symbol("n", integer=True)
for expression, symbol in ((Mod(x, 3), x), (Mod(x, -3), x), (x - Mod(x, 1), x), (Mod(n, 3), n)):
    code = ccode(expression)
    print(f"{expression}: {code}; C++ {cxxcode(expression)}")
    if symbol is n:
        continue
    function = lambdify(symbol, expression, modules="math")
    for value in (5, -1, -2.5):
        known = float(expression.subs(symbol, value))
        found = eval(code, {"fmod": math.fmod, str(symbol): value})
        print(f"  at {value}: {known:g}, {function(value):g}, {found:g}")
PY
cat > "$folder/expected" <<'SEEN'
Mod(x, 3): fmod(x, 3); C++ std::fmod(x, 3)
  at 5: 2, 2, 2
  at -1: 2, 2, -1
  at -2.5: 0.5, 0.5, -2.5
Mod(x, -3): fmod(x, -3); C++ std::fmod(x, -3)
  at 5: -1, -1, 2
  at -1: -1, -1, -1
  at -2.5: -2.5, -2.5, -2.5
x - Mod(x, 1): x - (fmod(x, 1)); C++ x - (std::fmod(x, 1))
  at 5: 5, 5, 5
  at -1: -1, -1, -1
  at -2.5: -3, -3, -2
Mod(n, 3): ((n % 3) + 3) % 3; C++ ((n % 3) + 3) % 3
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
