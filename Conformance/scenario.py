"""The notifications that a conforming client must print, in order, and how they are cut into fragments.

Everything follows from the seed, so a failing run can be repeated.
"""

import json
import random
import uuid
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "Tests" / "Samples"
LARGE = 2 * 1024 * 1024

_ALPHABETS = [
    "the quick brown fox jumps over the lazy dog 0123456789 ",
    "äöüßéèêçñåøœÆÐþžščřůőűğışăîțђљњћџ ",
    "日本語中文字符简体繁體한국어조선말ひらがなカタカナ、。",
    "😀🎉🚀👩‍👩‍👧‍👦🏳️‍🌈🇫🇮🧑🏽‍🚒𝔘𝔫𝔦𝔠𝔬𝔡𝔢𐍈",
    "\u00a0\u2028\u2029\u0085\u200d\ufeff\u202e\u007f\ufffd",
]
# Legal JSON that is difficult for a scanner: raw text that no encoder may touch.
_TRICKY_BODIES = [
    r'{"escapes":"\"\\\/\b\f\n\r\t\u0000\u001f\u00e9\u20ac"}',
    r'{"pairs":"\ud83d\ude00\uD834\uDD1E","lone":"\ud800"}',
    r'{"braces":"}{][,:","topicName":"v2.not.this","nested":{"eventBody":{"topicName":"nor.this"}}}',
    r'{"numbers":[0,-0,-0.0,1e400,1E-400,0.1e+10,123456789012345678901234567890,-1.5e-7]}',
    r'{"empty":[{},[],"",[[]],{"":{}}],"literals":[true,false,null]}',
    '{"deep":' + "[" * 100 + "]" * 100 + "}",
    '{ "spaces"\t:\t[ 1 , 2\t, { } ] , "and" : "  kept  " }',
    "[1,2,3]",
    "null",
    '"a text"',
    "{}",
]


class Notification:
    """One message: its bytes, and the sizes of its fragments (`None`: a single frame)."""

    def __init__(self, text, fragments=None):
        self.bytes = text.encode("utf-8")
        self.fragments = fragments

    @property
    def line(self):
        """The tool's output: the received bytes, with each line break as a space."""
        return self.bytes.replace(b"\n", b" ") + b"\n"


def single_topics(topics):
    """The topic names of the notifications: a combined topic is expanded."""
    names = []
    for topic in topics:
        stem, question, suffixes = topic.partition("?")
        names += [f"{stem}.{suffix}" for suffix in suffixes.split("&")] if question else [topic]
    return names


def samples():
    """The recorded notifications; the other samples are replies and beats, which are not printed."""
    return [Notification(path.read_text("utf-8").strip()) for path in sorted(SAMPLES.glob("0[1-8]_*.json"))]


def notifications(count, topics, seed):
    """The samples, then `count` numbered notifications: large, tiny, pretty, foreign, repeated and in fragments."""
    source, names = random.Random(seed), single_topics(topics)
    result = samples()
    for number in range(count):
        topic = names[number % len(names)]
        if number == count // 2:
            item = _sized(number, topic, source, LARGE)
        elif number % 211 == 210 and result[-1].fragments is None:
            item = Notification(result[-1].bytes.decode())  # a real repeat: both are to be printed
        elif number % 131 == 7:
            item = Notification(_pretty(number, topic, source))
        elif number % 17 == 3:
            item = Notification(_envelope(number, topic, source, _TRICKY_BODIES[number // 17 % len(_TRICKY_BODIES)]))
        elif number % 13 == 5:
            edge = (125, 126, 127, 128, 65_535, 65_536, 65_537, 16_384, 4_096)[number // 13 % 9]
            item = _sized(number, topic, source, edge)
        else:
            body = json.dumps({"sequence": number, "text": _text(source, source.randrange(400))}, ensure_ascii=False)
            item = Notification(_envelope(number, topic, source, body))
        if number % 7 == 2 and len(item.bytes) < LARGE:
            item.fragments = _fragments(len(item.bytes), source)
        result.append(item)
    return result


def _text(source, length):
    return "".join(source.choice(source.choice(_ALPHABETS)) for _ in range(length))


def _envelope(number, topic, source, body):
    identifier = uuid.UUID(int=source.getrandbits(128), version=4)
    parts = [
        '"topicName":' + json.dumps(topic),
        '"version":"2"',
        '"eventBody":' + body,
        f'"metadata":{{"CorrelationId":"{identifier}"}}',
    ]
    if number % 5 == 4:
        source.shuffle(parts)  # the order of keys means nothing
    if number % 29 == 11:
        # The same name, spelled with an escape.
        parts = [part.replace('"topicName":"v2.', '"topic\\u004eame":"v2\\u002e', 1) for part in parts]
    return "{" + ",".join(parts) + "}"


def _pretty(number, topic, source):
    body = {"sequence": number, "text": _text(source, 40), "list": [1, 2]}
    value = {"topicName": topic, "version": "2", "eventBody": body}
    return "\n" + json.dumps(value, indent=source.choice([1, 2, "\t"]), ensure_ascii=False) + "\n"


def _sized(number, topic, source, byte_count):
    """A notification of exactly this many bytes, or the smallest larger one."""
    stem = f'{{"topicName":{json.dumps(topic)},"eventBody":"{number}'
    room = byte_count - len(stem.encode()) - 2
    # Half of it ASCII, the rest of one to four bytes a character; ASCII fills the rest.
    text = "" if room < 200 else _text(source, min(room, 4_096) // 8)
    repeats = 1 if not text else max(1, room // 2 // len(text.encode()))
    filling = json.dumps(text * repeats, ensure_ascii=False)[1:-1]
    if len(filling.encode()) > room:
        filling = ""
    return Notification(stem + filling + "x" * max(0, room - len(filling.encode())) + '"}')


def _fragments(byte_count, source):
    """Sizes that add up to the whole: cut anywhere, even inside characters, with some empty fragments."""
    pieces = source.randrange(2, 40)
    cuts = sorted(source.randrange(byte_count + 1) for _ in range(pieces - 1))
    return [end - start for start, end in zip([0, *cuts], [*cuts, byte_count])]
