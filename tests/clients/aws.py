"""A client of AWS."""

import botocore.config
import botocore.session


def bucket(url: str) -> object:
    """A client of S3 that tries once."""
    session = botocore.session.Session()
    session.set_credentials("key", "secret")
    config = botocore.config.Config(
        retries={"total_max_attempts": 1},
        read_timeout=0.2 if url.endswith("/slow") else 20.0,
        connect_timeout=20.0,
        proxies={},
        s3={"addressing_style": "path"},
    )
    return session.create_client("s3", "us-east-1", endpoint_url=url, config=config)
