"""Names of a graph as names of Python."""

from __future__ import annotations

import keyword
import re

LONGEST = 60  # letters of a name in a docstring
_TAKEN = """
    T_destination activity_regularizer add_loss add_metric add_module add_variable add_weight apply autocast
    bfloat16 bind buffers build build_from_config built call call_signature_parameters call_super_init children
    clone compile compile_from_config compiled compiled_loss compiled_metrics compute_dtype compute_loss
    compute_mask compute_metrics compute_output_shape compute_output_spec copy count_params cpu cuda
    distribute_reduction_method distribute_strategy double dtype dtype_policy dump_patches eval evaluate export
    extra_repr fit float forward from_config get_buffer get_build_config get_compile_config get_config
    get_extra_state get_layer get_metrics_result get_parameter get_quantization_layer_structure get_state_tree
    get_submodule get_variable get_weights half has_rng has_variable init init_with_output input input_dtype
    input_spec inputs ipu is_initializing is_mutable_collection iter_children iter_modules jit_compile layers
    lazy_init load_own_variables load_state_dict load_weights loss losses make_predict_function make_rng
    make_test_function make_train_function metrics metrics_names metrics_variables module module_paths modules mtia
    name named_buffers named_children named_modules named_parameters non_trainable_variables non_trainable_weights
    options output outputs param parameters parent path perturb predict predict_function predict_on_batch
    predict_step put_variable quantization_mode quantize quantized_build quantized_call register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook
    rematerialized_call requires_grad_ reset_metrics rngs run_eagerly save save_own_variables save_weights scope
    self set_attributes set_extra_state set_state_tree set_submodule set_weights setup share_memory sow state_dict
    stateless_call stateless_compute_loss steps_per_execution summary supports_jit supports_masking symbolic_call
    tabulate test_function test_on_batch test_step to to_empty to_json train train_function train_on_batch
    train_step trainable trainable_variables trainable_weights training type unbind unrolled_steps_per_execution
    variable variable_dtype variables weights x xpu zero_grad
"""  # what modules of some framework have already
RESERVED = frozenset(_TAKEN.split())

# What stands at the top of some source already, so that no class may be called like it.
IMPORTED = (
    "BatchNorm",
    "BatchNorm2d",
    "BatchNormalization",
    "F",
    "False",
    "None",
    "Path",
    "SameConv2d",
    "Tensor",
    "True",
)


def plain(text: str) -> str:
    """Return a scope of the graph as it can stand in a docstring; of a long one, the inner scopes."""
    while len(text) > LONGEST and "/" in text:
        text = text.partition("/")[2]
    safe = re.sub(r"[^\w/.:>-]+", "_", text, flags=re.ASCII)  # no quote, backslash or end of line leaves a docstring
    return safe[-LONGEST:]


def identifier(text: str) -> str:
    """Return a name for a member."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII)
    # __init__ and _modules are Python's and the frameworks' own.
    name = name.strip("_") or "layer"
    if name[0].isdigit():
        name = f"layer_{name}"
    is_taken = keyword.iskeyword(name) or name in RESERVED
    return f"{name}_" if is_taken else name


def class_name(scope: str) -> str:
    """Return the name of a class for the last part of a scope: without its number, unless that is a version's.

    Empty if that leaves nothing.
    """
    last = scope.rpartition("/")[2]
    base = re.sub(r"(?<![vV])_?\d+[a-z]?$", "", last)  # unit_1, Mixed_5b, but not bottleneck_v1
    text = re.sub(r"[^\w]", "_", base, flags=re.ASCII)
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text)  # of CBAM_unit2, denseLayer
    name = "".join(word[0].upper() + word[1:] for word in words)
    return "" if name[:1].isdigit() else name


def snake(name: str) -> str:
    """Return a class's name as that of a member."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def unique(name: str, taken: dict[str, None]) -> str:
    """Return the name, numbered if it is taken, and take it."""
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken[found] = None
    return found
