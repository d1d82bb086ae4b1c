"""Real data in and out again: `real-data.py EXECUTABLE FOLDER SCRATCH`, with the server's address in MARTLET_URL.

Each JSON array of objects and each CSV file goes into the table "records", which has no schema, comes out as JSON, lines, CSV and an archive, and is read by Python's own
json, csv and zipfile. What a cell of a CSV file means is decided here once more, and independently: a JSON number that a float holds is a number.
"""

import csv
import json
import math
import pathlib
import re
import subprocess
import sys
import zipfile

executable, folder, scratch = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])


def martlet(*arguments):
    ended = subprocess.run([executable, *arguments], capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(arguments)} ended with {ended.returncode}: {ended.stderr}")
    return ended.stdout


def same(left, right):
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return float(left) == float(right) and math.copysign(1, left) == math.copysign(1, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def cell(text):
    """The value of an unquoted cell; None for no value."""
    if text == "":
        return None
    if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", text):
        if not re.fullmatch(r"-?[0-9]+", text) or abs(int(text)) <= 2**53:
            return float(text)
    return {"true": True, "false": False}.get(text, text)


def read_csv(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    documents = [{name: cell(text) for name, text in row.items()} for row in rows]
    return [{name: value for name, value in document.items() if value is not None} for document in documents]


def without_system_fields(documents):
    return [{name: value for name, value in document.items() if name not in ("_id", "_creationTime")} for document in documents]


def check(name, what, expected, found):
    if len(expected) != len(found):
        sys.exit(f"{name}: {what} has {len(found)} documents, expected {len(expected)}")
    for number, (left, right) in enumerate(zip(expected, found)):
        if not same(left, right):
            sys.exit(f"{name}: {what}: document {number} is {right}, expected {left}")


count = total = 0
for path in sorted(folder.iterdir()):
    if path.suffix == ".json":
        expected = json.loads(path.read_text(encoding="utf-8"))
        # Others are objects, such as maps' topologies, and no lists of documents.
        if not isinstance(expected, list) or not all(isinstance(element, dict) for element in expected):
            print(f"{path.name}: no list of documents, left out")
            continue
    elif path.suffix == ".csv":
        expected = read_csv(path)
    else:
        continue
    martlet("import", str(path), "--table", "records", "--replace")

    martlet("export", "records", "--output", str(scratch / "out.json"))
    documents = json.loads((scratch / "out.json").read_text(encoding="utf-8"))
    check(path.name, "the JSON array", expected, without_system_fields(documents))

    lines = martlet("export", "records", "--format", "jsonl").splitlines()
    check(path.name, "the lines", documents, [json.loads(line) for line in lines])

    martlet("export", "records", "--output", str(scratch / "out.csv"))
    if path.suffix == ".csv":
        with open(scratch / "out.csv", newline="", encoding="utf-8") as file:
            rows = without_system_fields(csv.DictReader(file))
        found = [{name: cell(text) for name, text in row.items() if cell(text) is not None} for row in rows]
        check(path.name, "the CSV file", expected, found)

    martlet("export", "records", "--output", str(scratch / "out.zip"), "--format", "zip")
    with zipfile.ZipFile(scratch / "out.zip") as archive:
        if archive.testzip() is not None:
            sys.exit(f"{path.name}: the archive is damaged")
        with archive.open("records/documents.jsonl") as file:
            check(path.name, "the archive", documents, [json.loads(line) for line in file])

    # And each of them in again: the same documents, with the same ids.
    for name in ("out.json", "out.csv", "out.zip"):
        table = [] if name == "out.zip" else ["--table", "records"]
        martlet("import", str(scratch / name), "--replace", *table)
        again = [json.loads(line) for line in martlet("export", "records").splitlines()]
        check(path.name, f"{name}, imported again,", documents, again)
    count += 1
    total += len(expected)
    print(f"{path.name}: {len(expected)} documents, equal")

if count == 0:
    sys.exit(f"{folder} has no data")
print(f"{count} data sets with {total} documents came in and out again, equal")
