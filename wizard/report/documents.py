"""What is printed as JSON, as models: for `schema`, and for the documents that no other model describes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from wizard.answers import schema as answers_schema
from wizard.model.findings import Check, Finding
from wizard.model.plan import Plan

ERROR = "compute-wizard.error/1"


class ComparedWith(BaseModel):
    """Where what is wanted comes from."""

    kind: Literal["answers", "runs", "undone", "suggestion"]
    file: str | None = None
    runs: list[str] | None = None


class Checks(BaseModel):
    """What `verify --json` prints."""

    format: Literal["compute-wizard.checks/1"]
    compared_with: ComparedWith
    checks: list[Check]
    limits: list[str] = Field(default=[], description="what the proofs do not prove")


class Findings(BaseModel):
    """What `check --json` prints."""

    format: Literal["compute-wizard.findings/1"]
    findings: list[Finding]


class Error(BaseModel):
    """What a command says on stderr, with --json, in place of a message."""

    format: Literal["compute-wizard.error/1"]
    code: str = Field(description="stays; docs/errors has a page for each")
    exit_code: int
    what: str
    where: str = Field(description="the file, line or field; empty where there is none")
    do: str = Field(description="what to do; empty where that follows from `what`")


MODELS: dict[str, Any] = {"plan": Plan, "verify": Checks, "check": Findings, "error": Error}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a document: answers, or one that a command prints."""
    if name == "answers":
        return answers_schema.schema()
    found = TypeAdapter(MODELS[name]).json_schema()
    return {"$schema": answers_schema.DRAFT, **found}
