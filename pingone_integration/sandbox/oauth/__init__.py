"""The auth side of the sandbox: sign-on, consent and the endpoints under `{environment}/as/`."""
