"""What every resource of the API shares: requests, answers, pages, and the OpenAPI document."""
