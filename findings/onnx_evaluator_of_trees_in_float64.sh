#!/usr/bin/env bash
# onnx 1.23.2: the standard's own evaluator cannot run trees whose thresholds are in float64. The attributes that the operator
# has for them since version 3 of ai.onnx.ml, `nodes_values_as_tensor` and `target_weights_as_tensor`, end in a TypeError;
# onnxruntime 1.32.0 runs the same graph.
# Seen:
#   float32: [[1.0]]
#   float64: TypeError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check onnx==1.23.2 numpy==2.4.6

cat > "$folder/seen.py" <<'PY'
import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

# one tree: 0 up to the threshold 0.5, else 1
tree = {
    "n_targets": 1,
    "nodes_treeids": [0, 0, 0],
    "nodes_nodeids": [0, 1, 2],
    "nodes_featureids": [0, 0, 0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
    "nodes_truenodeids": [1, 0, 0],
    "nodes_falsenodeids": [2, 0, 0],
    "target_treeids": [0, 0],
    "target_nodeids": [1, 2],
    "target_ids": [0, 0],
}
values, weights = [0.5, 0.0, 0.0], [0.0, 1.0]
narrow = {"nodes_values": values, "target_weights": weights}
wide = {
    "nodes_values_as_tensor": numpy_helper.from_array(np.array(values), "values"),
    "target_weights_as_tensor": numpy_helper.from_array(np.array(weights), "weights"),
}
for name, kind, numbers in (("float32", TensorProto.FLOAT, narrow), ("float64", TensorProto.DOUBLE, wide)):
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **tree, **numbers)
    x = helper.make_tensor_value_info("x", kind, [None, 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=opsets)
    try:
        print(f"{name}: {ReferenceEvaluator(model).run(None, {'x': np.ones((1, 1), name)})[0].tolist()}")
    except Exception as error:
        print(f"{name}: {type(error).__name__}")
PY
cat > "$folder/expected" <<'TEXT'
float32: [[1.0]]
float64: TypeError
TEXT
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
