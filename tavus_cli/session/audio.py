"""``echo --audio``: a WAV file of 16-bit PCM, mixed down to mono, spoken at its own sample rate."""

from __future__ import annotations

import asyncio
import io
import sys
import uuid
import wave
from array import array
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from tavus_cli.errors import UsageError
from tavus_cli.files import cannot, read
from tavus_cli.protocol.interactions import audio_echo
from tavus_cli.session.session import Session

LARGEST = 256 << 20  # bytes of a file: more than ten minutes in stereo at 96 kHz
MAX_SECONDS = 600.0  # a longer file is probably a mistake, as it is sent in real time
MAX_RATE = 1_000_000  # Hz; more is not plausible


LARGEST = 1 << 30  # bytes
_HEAD = 4_096  # bytes that contain "fmt "
_ENCODINGS = {2: "ADPCM", 3: "floating point", 6: "A-law", 7: "mu-law", 17: "ADPCM", 85: "MP3"}
_OTHERS = (
    *((0, b"ID3", "MP3"), (0, b"\xff\xfb", "MP3"), (0, b"\xff\xf3", "MP3"), (0, b"fLaC", "FLAC")),
    *((0, b"OggS", "Ogg"), (0, b"FORM", "AIFF"), (4, b"ftyp", "MP4"), (0, b"caff", "CAF")),
    *((0, b"RF64", "RF64"), (0, b"\x1aE\xdf\xa3", "WebM")),
)


class Sound(NamedTuple):
    """16-bit little-endian mono PCM, at ``rate`` Hz."""

    pcm: bytes
    rate: int


def read_wav(path: str) -> Sound:
    """Read a WAV file. Raises UsageError if it is not 16-bit PCM."""
    try:
        with wave.open(_as_plain(path, _bytes(path)), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            if width != 2:
                raise UsageError(f"{path}: {8 * width}-bit samples; save it as 16-bit PCM")
            if not 0 < rate <= MAX_RATE:
                raise UsageError(
                    f"{path}: a sample rate of {rate:,} Hz is not supported; save it at 16,000 Hz"
                )
            most = int(MAX_SECONDS * rate)
            # The header may state more than there is: a program that writes to a pipe does not know the
            # length.
            frames = file.readframes(min(file.getnframes(), most + 1))
            if len(frames) > most * 2 * channels:
                raise UsageError(f"{path}: longer than {MAX_SECONDS / 60:.0f} minutes; shorten it")
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None
    except (wave.Error, EOFError, RuntimeError) as error:  # the last one: a chunk longer than the file
        raise _not_pcm(path, str(error) or "it ends too early") from None
    frames = frames[: len(frames) // (2 * channels) * 2 * channels]
    if not frames:
        raise UsageError(f"{path}: it holds no sound")
    return Sound(frames if channels == 1 else _mono(frames, channels), rate)


async def speak(
    session: Session, sound: Sound, progress: Callable[[float], None] | None = None
) -> dict[str, Any]:
    """Echo a sound in pieces, paced to real time. Returns the last message sent.

    ``progress`` is called with the part already sent, 0 to 1. Raises SendFailed, ConversationOver.
    """
    pieces = list(audio_echo(sound.pcm, sound.rate, str(uuid.uuid4())))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    message: dict[str, Any] = {}
    for number, (due, piece) in enumerate(pieces, 1):
        if session.room.live and (delay := begun + due - loop.time()) > 0:
            await asyncio.sleep(delay)
        message = await session.send(piece)
        if progress is not None:
            progress(number / len(pieces))
    return message


def _bytes(path: str) -> bytes:
    """ "-" is standard input."""
    return sys.stdin.buffer.read(LARGEST) if path == "-" else read(path, LARGEST)


def _as_plain(path: str, data: bytes) -> BinaryIO:
    """The file, with the longer header (WAVE_FORMAT_EXTENSIBLE) turned into the older form.

    ``wave`` reads the longer one only from Python 3.12 on. Raises UsageError for other encodings.
    """
    head, rest = data[:_HEAD], data[_HEAD:]
    for at, mark, what in _OTHERS:
        if head[at:].startswith(mark):
            raise _not_pcm(path, what)
    at = head.find(b"fmt ") + 8
    if at >= 8 and head.startswith(b"RIFF"):
        tag = head[at : at + 2]
        if tag == b"\xfe\xff":
            tag = head[at + 24 : at + 26]
            head = head[:at] + tag + head[at + 2 :]
        encoding = int.from_bytes(tag, "little")
        if encoding != 1 and len(tag) == 2:
            raise _not_pcm(path, _ENCODINGS.get(encoding, f"encoding {encoding}"))
    return io.BytesIO(head + rest)


def _not_pcm(path: str, what: str) -> UsageError:
    from shlex import quote

    name = "FILE" if path == "-" else quote(path)
    remedy = f"ffmpeg -i {name} -ac 1 -ar 16000 -c:a pcm_s16le sound.wav"
    return UsageError(f"{path}: not a WAV file of 16-bit PCM ({what}): convert it ({remedy})")


def _mono(frames: bytes, channels: int) -> bytes:
    samples = array("h", frames)
    if sys.byteorder == "big":
        samples.byteswap()
    mixed = array("h", (sum(one) // channels for one in zip(*[iter(samples)] * channels, strict=True)))
    if sys.byteorder == "big":
        mixed.byteswap()
    return mixed.tobytes()
