"""What every API resource shares: request parsing, problem responses, pagination, and the OpenAPI document."""
