#!/usr/bin/env bash
# onnxruntime 1.20.0: a valid graph with x * sigmoid(x) in float64 does not load on a CPU. An optimiser makes one operator,
# QuickGelu, of the two, which exists for float32 alone. Written as x / (1 + exp(-x)) it loads. 1.32.0 loads both.
# Seen:
#   x * sigmoid(x): NotImplemented
#   x / (1 + exp(-x)): [0.7310585786300049]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check onnxruntime==1.20.0 onnx==1.17.0 numpy==2.2.6

cat > "$folder/seen.py" <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)
ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [1]) for name in "xy"]
graphs = {
    "x * sigmoid(x)": [("Sigmoid", ["x"], ["s"]), ("Mul", ["x", "s"], ["y"])],
    "x / (1 + exp(-x))": [
        ("Neg", ["x"], ["n"]),
        ("Exp", ["n"], ["e"]),
        ("Add", ["e", "one"], ["g"]),
        ("Div", ["x", "g"], ["y"]),
    ],
}
one = numpy_helper.from_array(np.ones(1), "one")
for text, nodes in graphs.items():
    graph = helper.make_graph([helper.make_node(*node) for node in nodes], "g", ends[:1], ends[1:], [one])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString())
        print(f"{text}: {session.run(None, {'x': np.ones(1)})[0].tolist()}")
    except Exception as error:
        print(f"{text}: {type(error).__name__}")
PY
cat > "$folder/expected" <<'TEXT'
x * sigmoid(x): NotImplemented
x / (1 + exp(-x)): [0.7310585786300049]
TEXT
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
