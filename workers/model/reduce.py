"""reduce(state, event) -> state: how an event changes what the operator sees. Pure; shared by station and console."""

from msgspec.structs import replace

from workers.model import events as e
from workers.model.classifier_training import followed
from workers.model.reduce_classifier import reduce_classifier
from workers.model.state import (
    EPISODES_KEPT,
    LINK_REPORTS_KEPT,
    LOG_LINES_KEPT,
    Arm,
    Buffer,
    Classifier,
    ConsoleState,
    Dataset,
    Episode,
    Evaluation,
    Learner,
    LoggedLine,
    Progress,
    Rate,
    Running,
    Worker,
)

HUMAN_DRIVERS = (e.Driver.HUMAN, e.Driver.SCRIPTED)


def reduce(state: ConsoleState, event: e.Event) -> ConsoleState:
    """Fold one event into the state. Unknown events leave it unchanged."""
    state = _reduce(state, event)
    if state.classifier is None:
        return state
    classifier = reduce_classifier(state.classifier, event)
    return state if classifier is state.classifier else replace(state, classifier=classifier)


def _reduce(state: ConsoleState, event: e.Event) -> ConsoleState:
    match event:
        case e.ArmMoved(ee_m, gripper_pct, mode, clipped, reason, at_s, moving_since_s, unconfirmed):
            arm = Arm(ee_m, gripper_pct, mode, clipped, reason, at_s, moving_since_s, unconfirmed)
            return replace(state, arm=arm)
        case e.FramePreview(camera):
            return replace(state, frames={**state.frames, camera: event})
        case e.CameraJudged(camera, flaw):
            others = {name: was for name, was in state.flaws.items() if name != camera}
            return replace(state, flaws={**others, camera: flaw} if flaw else others)
        case e.SettingsRead():
            return replace(state, settings=event)
        case e.Looked():
            return replace(state, looked=event)
        case e.EpisodesListed():
            return replace(state, stored=event)
        case e.FrameShown():
            return replace(state, shown=event)
        case e.LoopRate(worker, hz, p50, p99, overruns, stages):
            return replace(state, rates={**state.rates, worker: Rate(hz, p50, p99, overruns, stages)})
        case e.LogLine(worker, level, text, wall_s):
            return _logged(state, LoggedLine(worker, level, text, wall_s))
        case e.WorkerChanged(worker, worker_state, reason, restarts, pid):
            changed = Worker(worker, worker_state, reason, restarts, pid)
            state = replace(state, workers={**state.workers, worker: changed})
            died = reason and worker_state in (e.WorkerState.RESTARTING, e.WorkerState.FAILED)
            words = f"{worker} {worker_state.value}: {reason}"
            return _logged(state, LoggedLine("station", e.Level.ERROR, words, 0.0)) if died else state
        case e.RunOpened(classifier=used):
            vetoes = sum(episode.vetoes for episode in state.episodes)  # before this station
            return replace(state, run=event, classifier=used and Classifier(used, vetoes=vetoes))
        case e.PhaseChanged(phase, detail, done, total):
            return replace(
                state, progress=replace(state.progress, phase=phase, detail=detail, done=done, total=total)
            )
        case e.RunEnded(reason, succeeded):
            return replace(state, progress=_ended(state.progress, reason, succeeded))
        case e.LinkChanged():
            return replace(
                state,
                link=event,
                link_backlogs=(*state.link_backlogs, event.backlog)[-LINK_REPORTS_KEPT:],
                link_best_bytes_per_s=max(state.link_best_bytes_per_s, event.bytes_per_s),
            )
        case e.Surveyed(survey):
            return replace(state, survey=survey)
        case e.ClassifierStarted() | e.ClassifierProgress() | e.ClassifierReported() | e.ClassifierFailed():
            return replace(state, classifier_training=followed(state.classifier_training, event))
        case e.ActorsSeen(actors):
            return replace(state, actors=actors)
        case e.EvaluationProgress(successes, trials, total, version, finished):
            return replace(state, evaluation=Evaluation(successes, trials, total, version, finished))
        case e.EvaluationBegan(result):
            return replace(state, result=result)
        case e.TrialKept(trial) if state.result is not None:
            return replace(state, result=replace(state.result, trials=(*state.result.trials, trial)))
        case e.EvaluationEnded(ended, complete) if state.result is not None:
            return replace(state, result=replace(state.result, ended=ended, complete=complete))
        case _:
            return _reduce_control(_reduce_training(state, event), event)


def _reduce_training(state: ConsoleState, event: e.Event) -> ConsoleState:
    match event:
        case e.EpisodeStarted(episode, kind):
            return replace(state, running=Running(episode=episode, kind=kind))
        case e.StepTaken():
            return replace(state, running=_stepped(state.running, event))
        case e.EpisodeEnded():
            done = Episode(**{name: getattr(event, name) for name in Episode.__struct_fields__})
            return replace(state, episodes=(*state.episodes, done)[-EPISODES_KEPT:])
        case e.DatasetOpened(root, episodes, frames, through, positives):
            known = state.dataset.saved if state.dataset is not None else {}
            return replace(state, dataset=Dataset(root, episodes, frames, through, positives, known))
        case e.EpisodeSaved() if state.dataset is not None:
            return replace(state, dataset=_saved(state.dataset, event))
        case e.BufferFilled(online, offline, demonstrations, interventions, used):
            return replace(state, buffer=Buffer(online, offline, demonstrations, interventions, used))
        case e.LearnerProgress(updates, env_steps, utd, per_s, version, status, metrics):
            return replace(state, learner=Learner(updates, env_steps, utd, per_s, version, status, metrics))
        case e.PolicySwapped(version, at_s):
            return replace(state, policy_version=version, policy_at_s=at_s)
    return state


def _reduce_control(state: ConsoleState, event: e.Event) -> ConsoleState:
    control = state.control
    match event:
        case e.DriverChanged(driver, reason):
            control = replace(control, driver=driver, reason=reason)
            if driver in HUMAN_DRIVERS and state.control.driver not in HUMAN_DRIVERS:
                running = replace(state.running, interventions=state.running.interventions + 1)
                return replace(state, control=control, running=running)
        case e.OperatorChanged(scripted, attached, holder):
            control = replace(control, scripted=scripted, attached=attached, holder=holder)
        case e.ScriptChanged(on):
            control = replace(control, scripted=on)
        case e.SeatChanged(taken):
            control = replace(control, taken=taken)
        case e.PauseChanged(paused, reason):
            control = replace(control, paused=paused, pause_reason=reason)
        case e.StopLatched(by):
            control = replace(control, stopped=True, stopped_by=by)
        case e.StopCleared():
            control = replace(control, stopped=False, stopped_by="")
    return state if control is state.control else replace(state, control=control)


def _saved(dataset: Dataset, event: e.EpisodeSaved) -> Dataset:
    new = 0 if event.index is None else event.positives  # else it was counted when the dataset was opened
    return replace(
        dataset,
        episodes=event.episodes,
        frames=event.total_frames,
        positives=dataset.positives + new,
        saved={**dataset.saved, event.episode: event},
    )


def _logged(state: ConsoleState, line: LoggedLine) -> ConsoleState:
    return replace(state, log=(*state.log, line)[-LOG_LINES_KEPT:])


def _stepped(running: Running, event: e.StepTaken) -> Running:
    by_human = running.steps_by_human + (event.driver in HUMAN_DRIVERS)
    return replace(
        running,
        step=event.step,
        step_limit=event.step_limit,
        reward=event.reward,
        steps_by_human=by_human,
        positives=running.positives + (event.reward > 0),
        succeeds=event.reward > 0,
    )


def _ended(progress: Progress, reason: str, succeeded: bool) -> Progress:
    return replace(progress, phase=e.Phase.FINISHED, ended=reason, succeeded=succeeded)
