"""The dashboards against Grafana's own types: the TypeScript of @grafana/schema, where it is at hand.

``npm install typescript @grafana/schema`` in some folder, and SEGWATCH_GRAFANA_SCHEMA names it.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.grafana_files import DASHBOARDS, Json, panels, read

FOLDER = Path(os.environ.get("SEGWATCH_GRAFANA_SCHEMA") or "none") / "node_modules"
COMPILER = FOLDER / "typescript" / "bin" / "tsc"


def _checked(board: Json, folder: Path) -> list[str]:
    """Return what the compiler says of a dashboard as a value of the type Dashboard."""
    if shutil.which("node") is None or not COMPILER.exists():
        pytest.skip("no node, or no @grafana/schema with TypeScript in the folder that SEGWATCH_GRAFANA_SCHEMA names")
    (folder / "node_modules").symlink_to(FOLDER)
    source = folder / "dashboard.ts"
    source.write_text(f"import type {{Known}} from './known';\nexport const board: Known = {json.dumps(board)};\n")
    (folder / "known.ts").write_text(_KNOWN)
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
    command = ["node", str(COMPILER), *options, str(source)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if "error" in line]


# Enumerations stand in JSON as their values, which TypeScript does not take for the enumeration. A query belongs to its
# data source, so Grafana's types know nothing of it but that there is one.
_KNOWN = """\
import type {AnnotationQuery, Dashboard, Panel, RowPanel, VariableModel} from '@grafana/schema';
type Written<T> = T extends string ? `${T}` : T extends number ? T
  : T extends (infer E)[] ? Written<E>[]
  : T extends object ? {[K in keyof T]: Written<T[K]>} : T;
type Query = {
  datasource: {type: string, uid: string}, editorType: 'sql', format: 0 | 1, pluginVersion: string,
  queryType: 'table' | 'timeseries', rawSql: string, refId: string
};
type Asking<T> = Omit<Written<T>, 'targets'> & {targets?: Query[]};
export type Known = Omit<Written<Dashboard>, 'panels' | 'annotations' | 'templating'> & {
  panels: (Asking<Panel> | Written<RowPanel>)[],
  templating: {list: Written<VariableModel>[]},
  annotations: {list: (Omit<Written<AnnotationQuery>, 'target'> & {target: Query})[]},
};
"""


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_grafana_knows_every_field(path: Path, tmp_path: Path) -> None:
    assert _checked(read(path), tmp_path) == []


@pytest.mark.parametrize(
    ("where", "wrong"), [("gridPos", {"x": "0", "y": 0, "w": 1, "h": 1}), ("title", 7), ("transparent", "yes")]
)
def test_a_wrong_type_is_noticed(where: str, wrong: Any, tmp_path: Path) -> None:
    board = read(DASHBOARDS[0])
    panels(board)[0][where] = wrong
    assert [line for line in _checked(board, tmp_path) if re.search("not assignable|not comparable", line)]
