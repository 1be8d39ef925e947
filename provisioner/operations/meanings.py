"""What exit codes and findings mean, and what to do (findings have no class of their own); and every class of error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from provisioner.errors import ProvisionerError

EXIT_CODES: Final[Mapping[int, str]] = {
    0: "Done, or nothing to do.",
    1: "An unexpected error, or a record that cannot be trusted or written.",
    2: "The command line was wrong.",
    3: "The plan is invalid, refused, would not go well, or something is missing on this machine; nothing was changed.",
    4: "A step failed, and all that this run changed was reversed.",
    5: "A step failed, and something of this run remains; it is listed, with the command that tries again.",
    6: "Another run of the same deployment is at work.",
    7: "There are differences (drift, plan --detailed-exitcode, status --refresh).",
    8: "Unhealthy: the audit file was changed, a scan found what lets somebody in or loses data, or it costs too much.",
    130: "Interrupted: stopped in good order, and resumable.",
}

FINDINGS: Final[Mapping[str, str]] = {
    "plan.downward-reference": """A step refers to itself or to one below it.
References point only upward, so that the order of the file is an order in which it can be deployed.

Do: move the step that is referred to above the one that refers.""",
    "plan.duplicate-step": """Two steps have the same name.

Do: give one of them another; the name is how references, the record and the objects' tags tell them apart.""",
    "plan.environment-needed": """The plan has several environments and none was chosen.

Do: choose one with -e.""",
    "plan.folder": """A folder that a step puts into the cloud cannot be read.
It is looked for beside the plan's file; links in it are refused, for what they lead to may be another elsewhere.

Do: correct the path, or make the folder; several folders that are to be one are joined by " + ".""",
    "plan.literal-secret": """A secret stands in the plan or in a parameter file as plain text.
Files are copied, committed and mailed; a secret must not be in one.

Do: generate it (aws.secret with generate), or declare a secret parameter with env: NAME and set that variable.""",
    "plan.missing-key": """Something that is required is not there.

Do: add the key that the message names; provisioner types TYPE shows what a step requires.""",
    "plan.name-invalid": """A name has characters that are not allowed, or is too long.

Do: small letters, digits and single hyphens (none in the name of an environment), beginning with a letter; the hint
says what holds in its place.""",
    "plan.no-value": """A parameter has no value: no default, and nobody gave it one.

Do: --param NAME=VALUE, a --param-file, or a value in the environment; for a secret, set the variable of its env.""",
    "plan.placeholder": """A value still is what a template put there: CHANGE_ME, <your-password> and the like.

Do: fill it in.""",
    "plan.reference-not-here": """A reference stands where its value cannot be known in time.

Do: only parameters may stand there; write the value, or make it a parameter.""",
    "plan.reference-off": """A step refers to one that is switched off in this environment by its when.

Do: give both the same when, or take the reference out.""",
    "plan.reference-syntax": """A ${…} is not a reference.

Do: write ${step.output} or ${param.name}; for a literal ${ write $${.""",
    "plan.rule": """Values that are right one by one do not fit together, or the cloud would refuse the combination.

Do: the message says which and why; provisioner types TYPE has the limits.""",
    "plan.same-object": """Two steps mean the same object in the cloud: same type, same name.

Do: give one of them another name, or refer to the first where the second was meant.""",
    "plan.secret-in-plain-field": """A secret goes into a field that is not one, where it would be recorded and shown.

Do: use a field that takes a secret, or an output that is not secret (the ARN of a secret instead of its value).""",
    "plan.too-large": """With its parameters filled in the plan is too large to be meant.

Do: look for a parameter that repeats another many times.""",
    "plan.unknown-environment": """The plan does not declare the environment that was asked for.

Do: the message lists those that it has.""",
    "plan.unknown-key": """A key is not known in its place; often it is misspelt or belongs one level higher or lower.

Do: the message suggests the nearest; provisioner types TYPE lists the fields of a step's with.""",
    "plan.unknown-output": """A reference names an output that the step's type does not have.

Do: provisioner types TYPE lists the outputs.""",
    "plan.unknown-parameter": """A parameter is used or set that the plan does not declare.

Do: declare it under parameters, or mend the spelling.""",
    "plan.unknown-provider": """The plan's provider is not one of those that are installed.

Do: the message lists them.""",
    "plan.unknown-reference": """A reference points to a step or a fact that does not exist.

Do: mend the spelling; ${deployment.…} has name, base, environment and region.""",
    "plan.unknown-type": """There is no type of that name.

Do: provisioner types lists them all.""",
    "plan.unused-parameter": """A parameter is declared and nothing uses it. This is a warning.

Do: use it or take it out; a misspelt use of it would be an error of its own.""",
    "plan.wrong-type": """A value is of the wrong kind or outside its limits.

Do: the message says what is expected; in YAML "15" is text and 15 a number.""",
    "yaml.alias": """A YAML alias points to nothing, to itself, or expands to far too much.

Do: write the values out.""",
    "yaml.control-character": """The file holds characters that do not belong into text.

Do: remove the character that the message names; perhaps the file is not a plan at all.""",
    "yaml.documents": """The file has more than one YAML document.

Do: one file, one plan; remove everything from the second --- on.""",
    "yaml.duplicate-key": """A key stands twice in the same mapping. YAML would silently take the last one.

Do: keep one of them.""",
    "yaml.empty": """The file has nothing in it but comments and blank lines.

Do: start with deployment:, provider:, region: and steps:.""",
    "yaml.encoding": """The file is not UTF-8.

Do: save it as UTF-8.""",
    "yaml.key": """A key is not text.

Do: put it in quotes.""",
    "yaml.merge": """Merge keys (<<) are not supported: what a step says is to stand in the step.

Do: write the keys out, or make the common values parameters.""",
    "yaml.number": """A number is larger than any cloud would take.

Do: put it in quotes if it is text, an account id for example.""",
    "yaml.syntax": """The file is not YAML.

Do: look at the line and at the one before it: indentation, a missing colon, a quote that was not closed.""",
    "yaml.tag": """A YAML tag (!something) stands in the file. Nothing in a plan is executed or constructed.

Do: plain values only; put text in quotes.""",
    "yaml.too-deep": """The file is nested deeper than any plan needs to be.

Do: look for brackets that were not closed.""",
    "yaml.too-large": """The file is larger than any plan needs to be.

Do: a plan is text of a few hundred lines; was another file meant?""",
    "yaml.unreadable": """The file cannot be read: it does not exist, is a directory, or permission is missing.

Do: check the path that the message names.""",
}
"""What each finding means, and after ``Do:`` what to do about it."""


def error_classes() -> Iterator[type[ProvisionerError]]:
    """Every class of the tree, root first, in the order of definition."""
    waiting: list[type[ProvisionerError]] = [ProvisionerError]
    while waiting:
        cls = waiting.pop(0)
        yield cls
        waiting.extend(cls.__subclasses__())
