"""``echo --audio``: a WAV file of 16-bit PCM, mixed down to mono, spoken at its own sample rate."""

from __future__ import annotations

import asyncio
import io
import sys
import uuid
import wave
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

from tavus_cli.errors import UsageError
from tavus_cli.files import cannot, read
from tavus_cli.protocol.interactions import audio_echo
from tavus_cli.session.session import Session

LARGEST = 256 << 20  # bytes of a file: ten minutes in stereo at 96 kHz and more
MAX_SECONDS = 600.0  # a longer file is surely a mistake: it is spoken in real time
MAX_RATE = 1_000_000  # Hz; more stands in no sane file


class Sound(NamedTuple):
    """16-bit little-endian mono PCM, at ``rate`` Hz."""

    pcm: bytes
    rate: int


def read_wav(path: str) -> Sound:
    """Raises UsageError for what is not a WAV file of 16-bit PCM."""
    try:
        with wave.open(io.BytesIO(read(path, LARGEST))) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            if width != 2:
                raise UsageError(f"{path}: {8 * width}-bit samples; save it as 16-bit PCM")
            if not 0 < rate <= MAX_RATE:
                raise UsageError(
                    f"{path}: a sample rate of {rate:,} Hz is not supported; save it at 16,000 Hz"
                )
            most = int(MAX_SECONDS * rate)
            # The header may promise more than there is: a program that wrote to a pipe knew no length.
            frames = file.readframes(min(file.getnframes(), most + 1))
            if len(frames) > most * 2 * channels:
                raise UsageError(f"{path}: longer than {MAX_SECONDS / 60:.0f} minutes; shorten it")
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None
    except (wave.Error, EOFError, RuntimeError) as error:  # the last: a chunk longer than the file
        raise UsageError(
            f"{path}: not a WAV file of 16-bit PCM ({str(error) or 'it ends too early'})"
        ) from None
    frames = frames[: len(frames) // (2 * channels) * 2 * channels]
    if not frames:
        raise UsageError(f"{path}: it holds no sound")
    return Sound(frames if channels == 1 else _mono(frames, channels), rate)


async def speak(
    session: Session, sound: Sound, progress: Callable[[float], None] | None = None
) -> dict[str, Any]:
    """Echo a sound in pieces, paced to real time; the last message sent.

    ``progress`` gets the part that is sent, 0 to 1. Raises SendFailed, ConversationOver.
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


def _mono(frames: bytes, channels: int) -> bytes:
    samples = array("h", frames)
    if sys.byteorder == "big":
        samples.byteswap()
    mixed = array("h", (sum(one) // channels for one in zip(*[iter(samples)] * channels, strict=True)))
    if sys.byteorder == "big":
        mixed.byteswap()
    return mixed.tobytes()
