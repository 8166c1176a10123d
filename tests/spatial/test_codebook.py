"""Codebooks: every dialect gives the same words, blocks are kept apart, mistakes are named."""

from __future__ import annotations

import json

import numpy as np
import pytest

from teasel.errors import DataError, FormatError, InputNotFound, ParameterError
from teasel.spatial.codebook import SEQUENTIAL, Codebook, is_blank_name
from teasel.spatial.codebook_files import read_codebook, write_codebook

CODES = {"Actb": "1100", "Gad1": "0011", "Blank-1": "1010"}
MERLIN = "name,id,bit1,bit2,bit3,bit4\nActb,E1,1,1,0,0\nGad1,E2,0,0,1,1\nBlank-1,,1,0,1,0\n"
OLDER = (
    "version, 1.0\ncodebook_name, L26E1\nbit_names, RS1, RS2, RS3, RS4\n"
    "name, id, barcode\nActb, E1, 1100\nGad1, E2, 0011\nBlank-1, , 1010\n"
)
PLAIN = "gene,code\nActb,1100\nGad1,0011\nBlank-1,1010\n"
PLAIN_JSON = {
    "bits": ["a", "b", "c", "d"],
    "codewords": [{"name": name, "code": [int(bit) for bit in code]} for name, code in CODES.items()],
}
STARFISH = {
    "version": "0.0.0",
    "mappings": [
        {
            "codeword": [{"r": k // 2, "c": k % 2, "v": 1} for k, bit in enumerate(code) if bit == "1"],
            "target": name,
        }
        for name, code in CODES.items()
    ],
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("merlin.csv", MERLIN),
        ("older.csv", OLDER),
        ("plain.csv", PLAIN),
        ("plain.json", json.dumps(PLAIN_JSON)),
        ("starfish.json", json.dumps(STARFISH)),
        ("starfish_list.json", json.dumps(STARFISH["mappings"])),
    ],
)
def test_every_dialect_gives_the_same_words(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    book = read_codebook(tmp_path / name)
    assert book.names == tuple(CODES)
    assert book.words.astype(int).tolist() == [[int(bit) for bit in code] for code in CODES.values()]
    assert book.blank.tolist() == [False, False, True]
    if "starfish" in name:
        assert book.rounds.tolist() == [0, 0, 1, 1]
        assert book.channels.tolist() == [0, 1, 0, 1]
    if name == "older.csv":
        assert book.bits == ("RS1", "RS2", "RS3", "RS4")


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_written_and_read_again_it_is_the_same(tmp_path, suffix):
    book = Codebook.of(CODES, rounds=[0, 0, 1, 1], channels=[0, 1, 0, 1])
    again = read_codebook(write_codebook(tmp_path / f"book{suffix}", book))
    assert again.names == book.names
    assert np.array_equal(again.words, book.words)
    assert np.array_equal(again.blank, book.blank)


def test_single_molecule_channels_are_a_block_of_their_own():
    book = Codebook.of({"a": "11000", "b": "01100", "c": "10100", "Sox2": "00010", "Blank-1": "11100", "Pax6": "00001"})
    assert book.block_names == ("main", SEQUENTIAL)
    assert book.block(SEQUENTIAL).names == ("Sox2", "Pax6")
    assert book.block(SEQUENTIAL).n_bits == 2
    assert not book.block(SEQUENTIAL).blank.any()
    assert book.block("main").blank.sum() == 1
    assert book.is_sequential(SEQUENTIAL)
    assert not book.is_sequential("main")


def test_blocks_of_the_file_are_kept(tmp_path):
    (tmp_path / "book.csv").write_text("name,block,b1,b2,b3\nx,one,1,1,0\ny,two,0,1,1\nz,two,1,0,1\n")
    book = read_codebook(tmp_path / "book.csv")
    assert book.block_names == ("one", "two")
    assert book.block("two").names == ("y", "z")
    with pytest.raises(ParameterError, match="no block 'three'; it has: one, two"):
        book.block("three")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,bit1,bit2\na,1,2\n", "'2'; expected 0 or 1"),
        ("name,bit1,bit2\na,1,0\na,0,1\n", "'a' more than once"),
        ("x,y\n1,2\n", "no column name"),
    ],
)
def test_what_is_no_codebook_is_said(tmp_path, text, words):
    (tmp_path / "book.csv").write_text(text)
    with pytest.raises(FormatError, match=words):
        read_codebook(tmp_path / "book.csv")


def test_broken_json_and_missing_files(tmp_path):
    (tmp_path / "book.json").write_text("{")
    with pytest.raises(FormatError, match="no codebook"):
        read_codebook(tmp_path / "book.json")
    with pytest.raises(InputNotFound):
        read_codebook(tmp_path / "none.csv")
    with pytest.raises(DataError, match="same word"):
        Codebook.of({"a": "110", "b": "110"})
    with pytest.raises(DataError, match="no bit set"):
        Codebook.of({"a": "000", "b": "110"})


def test_blanks_by_the_names_that_programs_write():
    assert all(map(is_blank_name, ("Blank-1", "BLANK_0034", "NegControlCodeword_0500", "NegPrb3", "SystemControl12")))
    assert all(map(is_blank_name, ("antisense_ADCY4", "UnassignedCodeword_0001", "FalseCode1", "Negative3")))
    assert not any(map(is_blank_name, ("Actb", "Negr1", "Blnk", "Sysl1", "Neg1l")))


def test_the_merfish_codebooks(shared_data):
    folder = shared_data / "merlin_merfish_test"
    plain, merlin = read_codebook(folder / "codebook.json"), read_codebook(folder / "test_codebook.csv")
    assert plain.names == merlin.names
    assert np.array_equal(plain.words, merlin.words)
    assert (plain.n_words, int(plain.blank.sum()), plain.min_distance) == (140, 70, 4)
