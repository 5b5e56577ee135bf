"""Display names of the lab's tasks, models, learners and methods."""

from collections.abc import Mapping

from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.report.scaling import ABLATED, ADDED
from pipeline.labs.conjunction.train.curves import AttentionCurve

MODELS = {
    "attention": "attention",
    "mlp": "MLP",
    "cls_head": "one query (CLS)",
    "linear": "linear",
    "input_gains": "w = softmax(x Q)",
}
TUTORIAL = f"{ABLATED}tutorial"
LEARNERS = {
    **MODELS,
    "elimination": "elimination",
    "voting": "vote of all consistent sets (information limit)",
    f"{ADDED}weight_decay": "MLP, weight decay",
    f"{ADDED}l1": "MLP, L1 on its first layer",
    f"{ADDED}gains": "MLP behind learned gains",
    TUTORIAL: "the tutorial's attention",
}
VARIANTS = {
    "tutorial": "as in the tutorial",
    "position_queries": "queries without their bit",
    "shared_readout": "one readout weight for all queries",
    "one_query": "one query (CLS)",
    "wider": "wider queries and keys",
    "larger_init": "larger initial values",
    "bias": "a bias in the logit",
}
METHODS = {
    "rule_query": "attention of the rule's query",
    "attention_query": "readout × attention, by query\n(the tutorial's contraction)",
    "attention_key": "readout × attention, by key",
    "attention_value": "readout × attention × value\n(sums to the logit)",
    "bit_flip": "change of the logit\nby a bit flip",
}
NUMBERS = {"d_head": "width", "init_std": "std"}


def words(table: Mapping[str, str], name: str) -> str:
    """Return a display name; a name of the user's own is shown as it is, without underscores."""
    return table.get(name, name.replace("_", " "))


def task_words(task: TaskConfig) -> str:
    """Say which task: s of how many bits, with a rule bit or not, balanced or with its p."""
    rule = " (rule bit)" if task.rules == 2 else ""
    balance = "balanced" if task.p is None else f"P(1) = {task.p:.3g}"
    return f"AND of {task.targets} of {task.free_positions} bits{rule}, {balance}"


def tasks_words(tasks: Mapping[str, TaskConfig]) -> dict[str, str]:
    """Say which task each name is; the name too, if two would read alike."""
    labels = {name: task_words(task) for name, task in tasks.items()}
    said = list(labels.values())
    return {
        name: label if said.count(label) == 1 else f"{words({}, name)}: {label}"
        for name, label in labels.items()
    }


def variant_words(variants: Mapping[str, AttentionCurve]) -> dict[str, str]:
    """Name each variant's learner, with the numbers in which its model is not the tutorial's."""
    labels = {}
    for name, curve in variants.items():
        model, label = curve.fit.model, words(VARIANTS, name)
        if "tutorial" in variants:
            reference = variants["tutorial"].fit.model
            for key, sign in NUMBERS.items():
                if getattr(model, key) != getattr(reference, key):
                    label += f", {sign} = {getattr(model, key):g}"
        labels[f"{ABLATED}{name}"] = label
    return labels
