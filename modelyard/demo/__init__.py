"""The demonstration: real data, a real model, the whole chain, a served model asked over REST and gRPC."""
