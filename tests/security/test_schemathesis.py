"""Requests made from the OpenAPI text find no fault of the server."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from genrec.testing.serving import is_ready


@pytest.fixture(scope="module")
def operations(listening):
    schema = schemathesis.openapi.from_url(f"{listening.url}/openapi.json")
    return [found.ok() for found in schema.get_all_operations()]


def test_no_operation_fails(operations, listening):
    assert len(operations) >= 14
    for operation in operations:

        @settings(
            max_examples=40,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def call(case):
            answer = case.call()
            assert answer.status_code < 500, (case.as_curl_command(), answer.text)
            if answer.status_code >= 400:
                assert answer.headers["content-type"][0] == "application/problem+json"

        call()
    assert is_ready(listening.url)
    assert "Traceback" not in "\n".join(listening.log)
