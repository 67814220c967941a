"""The log of a training on stderr: a line per log with step, losses, learning rate, speed and the time left."""

import sys
import time
from collections.abc import Mapping

from tqdm import tqdm
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ProgressCallback

from train.tuning.summary import duration

MEASURED_STEPS = 3
"""Number of steps after which the time of the training is estimated. The first one is not counted: it is slower."""


FORMS = {
    "loss": "loss {:.4f}",
    "eval_loss": "validation loss {:.4f}",
    "eval_f1": "F1 {:.1%}",
    "learning_rate": "lr {:.2e}",
    "tokens_per_s": "{:,.0f} tokens/s",
}
"""The values of train.sft."""


class Bar(ProgressCallback):
    """transformers' progress bar for terminals without its printed logs, which `Progress` prints."""

    def on_log(self, *args, **kwargs):
        pass


class Progress(TrainerCallback):
    """Prints a line for each log and measures the time. Logs also at the last step and before each checkpoint is
    saved, so that the logged losses cover all steps, however often the training is interrupted.

    `forms`: the key of a logged value → how it is printed, in this order.
    """

    def __init__(self, forms: Mapping[str, str]):
        self.forms = forms
        self.started = self.measured_from = time.monotonic()
        self.first_step = 0
        self.earlier_seconds = 0.0
        self.earlier_tokens = 0

    def seconds(self) -> float:
        """The seconds of the whole training, with those before it was interrupted."""
        return self.earlier_seconds + time.monotonic() - self.started

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        self.started = time.monotonic()
        self.first_step = state.global_step
        self.earlier_seconds = max((entry.get("seconds", 0.0) for entry in state.log_history), default=0.0)
        self.earlier_tokens = max((int(entry.get("tokens", 0)) for entry in state.log_history), default=0)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        done = state.global_step - self.first_step
        if done == 1:
            self.measured_from = time.monotonic()
        elif done == MEASURED_STEPS and state.global_step < state.max_steps and state.is_world_process_zero:
            line = f"step {state.global_step:,}/{state.max_steps:,}  {self.left(state)}, without validation"
            tqdm.write(line, file=sys.stderr)
        if control.should_save or state.global_step >= state.max_steps:
            control.should_log = True

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        if control.should_save:
            control.should_log = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        logs = kwargs["logs"]
        if not state.is_world_process_zero or not {"loss", "eval_loss"} & logs.keys():
            return
        parts = [f"step {state.global_step:,}/{state.max_steps:,}"]
        for key, form in self.forms.items():
            if key in logs:
                parts.append(form.format(logs[key]))
        if "loss" in logs and state.global_step < state.max_steps and state.global_step > self.first_step + 1:
            parts.append(self.left(state))
        tqdm.write("  ".join(parts), file=sys.stderr)

    def left(self, state: TrainerState) -> str:
        """The time that the remaining steps take if they are like those since the second one, validation included."""
        per_step = (time.monotonic() - self.measured_from) / (state.global_step - self.first_step - 1)
        return f"about {duration(per_step * (state.max_steps - state.global_step))} left"


def show(trainer: Trainer, forms: Mapping[str, str] = FORMS) -> Progress:
    """Replaces the logs that transformers prints with those of `Progress`."""
    progress = Progress(forms)
    trainer.remove_callback(PrinterCallback)
    if trainer.pop_callback(ProgressCallback):
        trainer.add_callback(Bar())
    trainer.add_callback(progress)
    return progress
