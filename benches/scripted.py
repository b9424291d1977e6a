"""Scripts for the loopback service (`--recogniser scripted`), for scripts/bench.py."""
import json
import re

# The text of the recordings, about.
SENTENCES = [
    "and mister john dashwood had then leisure to consider how much there might be prudently in his"
    " power to do for them",
    "he was not an ill disposed young man",
    "unless to be rather cold hearted and rather selfish is to be ill disposed",
    "had he married a more amiable woman he might have been made still more respectable than he"
    " was",
    "he might even have been made amiable himself",
]


def utterance(sentence, start, end, words=None):
    """Returns an utterance as the service lists it, spoken from `start` to `end`.

    It has the first `words` words of the sentence; without `words` it has all, and is definite.
    """
    every = sentence.split()
    spoken = every[:words]
    pace = (end - start) / len(every)
    times = [(int(start + n * pace), int(start + (n + 0.8) * pace)) for n in range(len(spoken))]
    spaced = []
    for word, (begins, ends) in zip(spoken, times):
        spaced += [
            {"end_time": -1, "start_time": -1, "text": " "},
            {"end_time": ends, "start_time": begins, "text": word},
        ]
    text = " ".join(spoken).capitalize() + ("." if words is None else "")
    listed = {
        "additions": {"source": "stream"},
        "definite": words is None,
        "end_time": times[-1][1],
        "start_time": int(start),
        "text": text,
        "words": spaced[1:],
    }
    return json.dumps(listed, separators=(",", ":"))


def answer(duration, utterances):
    text = json.dumps(
        " ".join(re.search(r'"text":"([^"]*)","words"', listed).group(1) for listed in utterances)
    )
    result = f'"additions":{{"log_id":"bench"}},"text":{text},"utterances":[{",".join(utterances)}]'
    return f'{{"audio_info":{{"duration":{duration}}},"result":{{{result}}}}}'


def write(path, steps):
    ordered = sorted(steps, key=lambda step: step[0])
    listed = ",".join(f'{{"at":{at},"json":{response}}}' for at, response in ordered)
    with open(path, "w") as file:
        file.write('{"steps":[' + listed + "]}")


def speech(path, seconds, history):
    """Writes a `full` service's answers to speech: one to each word, half a second late.

    There are three words a second. It begins with `history` settled sentences within the first six
    seconds, as if the session were as old as that.
    """
    steps, listed, at = [], [], 200
    for n in range(history):
        listed.append(
            utterance(SENTENCES[n % 5], at + n * 6000 / history, at + (n + 0.9) * 6000 / history)
        )
    at += 6000 if history else 0
    number = 0
    while at < seconds * 1000:
        sentence = SENTENCES[number % 5]
        count = len(sentence.split())
        end = at + count * 333
        for words in range(1, count + 1):
            now = at + words * 333
            steps.append((now + 500, answer(now, [*listed, utterance(sentence, at, end, words)])))
        listed.append(utterance(sentence, at, end))
        # The service's end window.
        steps.append((end + 800, answer(end + 800, listed)))
        at, number = end + 300, number + 1
    write(path, steps)


def reading(path, count):
    """Writes responses of megabytes, from 1 s of audio on, and returns their bytes.

    The first is all new, the others have one word more each.
    """
    listed = [utterance(SENTENCES[n % 5], n * 6000, n * 6000 + 5500) for n in range(1500)]
    steps = [(100, answer(9_000_000, listed))]
    for n in range(count):
        growing = utterance(SENTENCES[0], 9_000_000, 9_006_000, 1 + n % 20)
        steps.append((1000 + n * 50, answer(9_006_000, [*listed, growing])))
    write(path, steps)
    return sum(len(response) for _, response in steps[1:])
