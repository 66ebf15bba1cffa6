"""Reading WAV files for ``/echo --audio``."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.session import audio
from tavus_cli.session.audio import Sound, read_wav
from tests.kits.conversations import many, some

CEILING = 2**15 - 1


def pcm(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


def wav(data: bytes, *, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(data)
    return file.getvalue()


def with_length(content: bytes, length: int) -> bytes:
    """The same file with another length of its data in the header."""
    place = content.index(b"data") + 4
    return content[:place] + struct.pack("<I", length) + content[place + 4 :]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sound.wav"


def refused(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_wav(str(file))
    text = str(caught.value)
    assert text.startswith(f"{file}: ")
    assert text.splitlines() == [text]
    return text.removeprefix(f"{file}: ")


# -- what can be read -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1, 7_350, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 192_000])
def test_mono_is_taken_as_it_is_at_its_own_rate(file: Path, rate: int) -> None:
    data = pcm(0, 1, -1, CEILING, -CEILING - 1)
    file.write_bytes(wav(data, rate=rate))
    assert read_wav(str(file)) == (data, rate)


@pytest.mark.parametrize(
    ("channels", "frames", "mixed"),
    [
        (2, [(100, 200), (-100, 100), (0, 0)], [150, 0, 0]),
        (2, [(CEILING, CEILING), (-CEILING - 1, -CEILING - 1)], [CEILING, -CEILING - 1]),
        (3, [(3, 6, 9), (-3, 0, 0)], [6, -1]),
        (6, [(60, 0, 0, 0, 0, 0), (1, 2, 3, 4, 5, 6)], [10, 3]),
    ],
    ids=["stereo", "stereo at its limits", "three", "six"],
)
def test_channels_are_mixed_down(
    file: Path, channels: int, frames: list[tuple[int, ...]], mixed: list[int]
) -> None:
    data = pcm(*(sample for frame in frames for sample in frame))
    file.write_bytes(wav(data, channels=channels))
    assert read_wav(str(file)) == (pcm(*mixed), 16_000)


@some
@given(
    channels=st.integers(1, 8),
    samples=st.lists(st.integers(-CEILING - 1, CEILING), min_size=8, max_size=80),
)
def test_a_mix_has_a_sample_a_frame_between_the_extremes(
    tmp_path_factory: pytest.TempPathFactory, channels: int, samples: list[int]
) -> None:
    samples = samples[: len(samples) // channels * channels]
    file = tmp_path_factory.mktemp("mix") / "x.wav"
    file.write_bytes(wav(pcm(*samples), channels=channels))
    data, _ = read_wav(str(file))
    mixed = struct.unpack(f"<{len(data) // 2}h", data)
    frames = [samples[start : start + channels] for start in range(0, len(samples), channels)]
    assert len(mixed) == len(frames)
    for one, frame in zip(mixed, frames, strict=True):
        assert min(frame) <= one <= max(frame)


@pytest.mark.parametrize("length", [0, 7, 2**31, 2**32 - 1])
def test_more_or_less_sound_than_the_header_states(file: Path, length: int) -> None:
    """A program that writes a WAV file to a pipe does not know the length, and states the maximum."""
    data = pcm(*range(100))
    file.write_bytes(with_length(wav(data), length))
    if length == 0:
        assert refused(file) == "it holds no sound"
    else:
        assert read_wav(str(file)) == (data[: length // 2 * 2], 16_000)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_cut_file_is_read_to_its_last_whole_frame(file: Path, channels: int) -> None:
    content = wav(pcm(*range(60 * channels)), channels=channels)
    for cut in range(1, 2 * channels + 1):
        file.write_bytes(content[:-cut])
        assert read_wav(str(file)) == read_wav(str(_whole(file, content, 59 * channels, channels)))


def _whole(file: Path, content: bytes, samples: int, channels: int) -> Path:
    other = file.with_name("whole.wav")
    other.write_bytes(wav(pcm(*range(samples)), channels=channels))
    return other


def test_other_chunks_are_skipped(file: Path) -> None:
    content = wav(pcm(1, 2, 3))
    place = content.index(b"data")
    more = b"LIST" + struct.pack("<I", 4) + b"INFO"
    size = struct.pack("<I", len(content) + len(more) - 8)
    file.write_bytes(content[:4] + size + content[8:place] + more + content[place:])
    assert read_wav(str(file)) == (pcm(1, 2, 3), 16_000)


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 3, 4])
def test_other_widths_are_refused(file: Path, width: int) -> None:
    file.write_bytes(wav(bytes(width * 10), width=width))
    assert refused(file) == f"{8 * width}-bit samples; save it as 16-bit PCM"


def test_other_codings_are_refused(file: Path) -> None:
    content = bytearray(wav(pcm(1, 2)))
    content[20:22] = struct.pack("<H", 7)  # µ-law
    file.write_bytes(content)
    assert refused(file).startswith("not a WAV file of 16-bit PCM (mu-law): convert it (ffmpeg -i ")


@pytest.mark.parametrize("rate", [0, 1_000_001, 2**32 - 1])
def test_impossible_rates_are_refused(file: Path, rate: int) -> None:
    content = bytearray(wav(pcm(1, 2)))
    content[24:28] = struct.pack("<I", rate)
    file.write_bytes(content)
    assert "sample rate" in refused(file)


def test_no_channel_is_refused(file: Path) -> None:
    content = bytearray(wav(pcm(1, 2)))
    content[22:24] = bytes(2)
    file.write_bytes(content)
    assert refused(file).startswith("not a WAV file of 16-bit PCM")


@pytest.mark.parametrize(
    "content",
    [b"", b"R", b"RIFF", b"not a WAV file, but long enough to hold a header of one", b"ID3\x04" + bytes(99)],
    ids=["empty", "a letter", "a word", "text", "mp3"],
)
def test_other_files_are_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert refused(file).startswith("not a WAV file of 16-bit PCM (")


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_without_a_frame_is_refused(file: Path, channels: int) -> None:
    file.write_bytes(wav(b"", channels=channels))
    assert refused(file) == "it holds no sound"


def test_a_missing_file_and_a_folder_are_refused(file: Path) -> None:
    assert refused(file) == "No such file or directory"
    assert refused(file.parent) == "Is a directory"


@pytest.mark.parametrize("channels", [1, 2])
def test_a_sound_too_long_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    monkeypatch.setattr(audio, "MAX_SECONDS", 60.0)
    second = bytes(2 * 8_000 * channels)
    file.write_bytes(wav(second * 60, rate=8_000, channels=channels))
    assert len(read_wav(str(file))[0]) == 2 * 8_000 * 60
    file.write_bytes(wav(second * 60 + bytes(2 * channels), rate=8_000, channels=channels))
    assert refused(file) == "longer than 1 minutes; shorten it"


def test_ten_minutes_are_the_limit(file: Path) -> None:
    file.write_bytes(wav(bytes(2 * 601 * 100), rate=100))
    assert refused(file) == "longer than 10 minutes; shorten it"


# -- anything ---------------------------------------------------------------------------------------------


@many
@given(st.data())
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(wav(pcm(*range(40)), channels=data.draw(st.sampled_from((1, 2)))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 47))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    _read_or_refused(tmp_path_factory, bytes(content))


@some
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    _read_or_refused(tmp_path_factory, content)


def _read_or_refused(folders: pytest.TempPathFactory, content: bytes) -> None:
    file = folders.getbasetemp() / "anything.wav"
    file.write_bytes(content)
    try:
        data, rate = read_wav(str(file))
    except UsageError as error:
        data, rate, told = b"\0\0", 1, str(error).splitlines()
    else:
        told = [""]
    assert len(told) == 1
    assert data
    assert len(data) % 2 == 0
    assert 0 < rate <= audio.MAX_RATE


def _extensible(encoding: int, bits: int = 16) -> bytes:
    sound = bytes(range(200))
    head = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 16_000, 32_000, 2, bits, 22, bits, 4)
    head += struct.pack("<H", encoding) + bytes.fromhex("000000001000800000aa00389b71")
    chunks = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def test_the_longer_header_is_read(file: Path) -> None:
    file.write_bytes(_extensible(1))
    assert read_wav(str(file)) == Sound(bytes(range(200)), 16_000)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (_extensible(3, 32), "floating point"),
        (_extensible(6), "A-law"),
        (_extensible(0x1234), "encoding 4660"),
        (b"ID3\x04" + bytes(50), "MP3"),
        (b"OggS" + bytes(50), "Ogg"),
        (b"fLaC" + bytes(50), "FLAC"),
        (bytes(4) + b"ftypM4A " + bytes(50), "MP4"),
    ],
)
def test_other_formats_are_refused_with_how_to_convert_them(file: Path, content: bytes, what: str) -> None:
    file.write_bytes(content)
    assert f"({what}): convert it (ffmpeg -i " in refused(file)
