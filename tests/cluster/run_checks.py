"""What the lives of jobs and workspaces, and what their commands noted, prove.

A life is every version that the store has ever held of a record, in their order: (rev, body, tombstone).
"""
import collections

from tests.cluster.history import operations_of

ENDED = ("succeeded", "failed", "canceled")


def faults_of(lines, jobs, workspaces, ran):
    """Everything that breaks a promise. `jobs` and `workspaces`: id -> life. `ran`: (run, "begun" or "ended", time)."""
    operations = operations_of(lines)
    asked = {one.end["id"]: one for one in operations.values() if one.outcome == "ok"}
    notes = collections.defaultdict(list)
    for run, what, at in ran:
        notes[run].append((what, at))
    faults = [f"operation {op} ({one.function} of {one.record}) was never resolved"
              for op, one in operations.items() if one.outcome is None]
    faults += [f"nobody asked for job {job} ({name_of(life)})" for job, life in jobs.items() if job not in asked]
    deleted = {one.end["workspace"] for one in asked.values() if one.function == "workspace.delete"}
    for job, one in asked.items():
        life = jobs.get(job, [])
        faults += [f"{one.record}: {fault}" for fault in faults_of_job(life, one.end["workspace"] in deleted)]
        faults += [f"{one.record}: {fault}" for fault in faults_of_notes(one.function, life, notes[one.record])]
    faults += faults_of_workspaces(asked, jobs, workspaces, deleted)
    return faults + overlaps(asked, notes)


def name_of(life):
    return life[0][1].get("labels", {}).get("run")


def faults_of_job(life, may_be_canceled):
    """Of one that was acknowledged, after everything has ended."""
    if not life:
        return ["it was acknowledged and is lost"]
    faults = faults_of_revs(life)
    states = [(body["state"], body["attempts"]) for _, body, tombstone in life if not tombstone]
    ends = [state for state, _ in states if state in ENDED]
    if len(ends) != 1 or states[-1][0] != ends[0]:
        faults.append(f"it did not reach an end once: {states}")
    elif ends[0] == "failed" or (ends[0] == "canceled" and not may_be_canceled):
        faults.append(f"it {ends[0]}: {last_living(life).get('message')}")
    if states[0] != ("pending", 0) or not all(may_follow(*pair) for pair in zip(states, states[1:])):
        faults.append(f"its states do not follow one another: {states}")
    return faults


def faults_of_revs(life):
    faults = []
    revs = [rev for rev, _, _ in life]
    if revs != list(range(1, len(revs) + 1)):
        faults.append(f"its revs are {revs}")
    tombstones = [tombstone for _, _, tombstone in life]
    if any(tombstones[:-1]):
        faults.append(f"it was deleted before its last version: {tombstones}")
    return faults


def last_living(life):
    return [body for _, body, tombstone in life if not tombstone][-1]


def may_follow(before, after):
    """(state, attempts). An attempt that does not count, as one of a worker that stops, is taken back."""
    (state, attempts), (next_state, next_attempts) = before, after
    if next_state == "running":
        begins = next_attempts == attempts + 1
        return begins if state == "pending" else state == "running" and (begins or next_attempts == attempts)
    if next_state == "pending":
        return state == "running" and next_attempts in (attempts, attempts - 1)
    return state in ("pending", "running") and next_attempts == attempts


def attempts_begun(life):
    """Each is a lease of its own: so often it may have run."""
    seen = [(body["state"], body["attempts"]) for _, body, tombstone in life if not tombstone]
    return sum(after[0] == "running" and after[1] == before[1] + 1 for before, after in zip(seen, seen[1:]))


def faults_of_notes(function, life, notes):
    if not life or function not in ("command.run", "workspace.create"):
        return []
    begun, ended = (sum(what == word for what, _ in notes) for word in ("begun", "ended"))
    state = last_living(life)["state"]
    faults = []
    if begun > attempts_begun(life):
        faults.append(f"it ran {begun} times in {attempts_begun(life)} attempts")
    if state == "succeeded" and (begun if function == "workspace.create" else ended) == 0:
        faults.append("it succeeded and never ran")
    return faults


def faults_of_workspaces(asked, jobs, workspaces, deleted):
    """All that was acknowledged of them is in their lives."""
    faults, made = [], {one.end["workspace"] for one in asked.values() if one.function == "workspace.create"}
    faults += [f"nobody asked for workspace {one}" for one in workspaces if one not in made]
    for workspace in made:
        life = workspaces.get(workspace, [])
        if not life:
            faults.append(f"workspace {workspace} was acknowledged and is lost")
            continue
        faults += [f"workspace {workspace}: {fault}" for fault in faults_of_revs(life)]
        if life[-1][2] != (workspace in deleted):
            faults.append(f"workspace {workspace} is {'gone' if life[-1][2] else 'there'}: its delete was "
                          f"{'' if workspace in deleted else 'not '}acknowledged")
    for job, one in asked.items():
        if one.function != "workspace.update" or not jobs.get(job) or last_living(jobs[job])["state"] != "succeeded":
            continue
        life = workspaces.get(one.end["workspace"], [])
        if life and one.record not in last_living(life).get("labels", {}):
            faults.append(f"{one.record} succeeded, and its workspace has no trace of it")
    return faults


def overlaps(asked, notes):
    """In one workspace one command runs at a time."""
    runs = collections.defaultdict(list)
    for one in asked.values():
        if one.function == "command.run":
            runs[one.end["workspace"]] += spans(one.record, notes[one.record])
    return [f"{second[2]} began before {first[2]} had ended" for of_one in runs.values()
            for first, second in zip(sorted(of_one), sorted(of_one)[1:]) if second[0] < first[1]]


def spans(run, notes):
    """(begin, end, run). One that was cut short ends where it begins."""
    open_at, found = [], []
    for what, at in sorted(notes, key=lambda note: note[1]):
        if what == "begun":
            open_at.append(at)
        elif open_at:
            found.append((open_at.pop(), at, run))
    return found + [(at, at, run) for at in open_at]
