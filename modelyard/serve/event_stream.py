"""An answer as Server-Sent Events over HTTP: the head when the first piece is there, then an event a piece."""

from __future__ import annotations

from modelyard.serve.exchange import Exchange
from modelyard.serve.generate import event, render_generated, render_piece
from modelyard.serve.handler import Handler
from modelyard.serve.problems import FAULT, Problem, problem_body
from modelyard.serve.repository import Endpoint
from modelyard.serve.requests import InferAnswer, InferRequest

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would keep the events until there are many
]


async def send_events(handler: Handler, exchange: Exchange, endpoint: Endpoint, request: InferRequest) -> None:
    """Answer in pieces; of a model that does not write piece by piece, in one event.

    Raises Problem, and whatever a graph raises, as long as nothing was sent; what fails behind the first piece is the
    last event of the stream, `{"error": ...}`, and noted in the exchange.
    """
    if not endpoint.model.streams:
        exchange.answer = await handler.infer(endpoint, request)
        body = render_generated(endpoint, request, exchange.answer)
        await exchange.begin(200, HEADERS)
        await exchange.send_body(event(body), more=False)
        return
    async with handler.stream(endpoint, request) as stream:
        piece = await stream.next()
        exchange.streamed = True
        await exchange.begin(200, HEADERS)
        try:
            while piece is not None:
                await exchange.send_body(event(render_piece(endpoint, request, piece)), more=True)
                piece = await stream.next()
        except Problem as problem:
            exchange.problem = problem
        except Exception as error:
            exchange.problem = Problem(500, FAULT)
            exchange.problem.__cause__ = error
        exchange.answer = InferAnswer({}, 1, stream.timings)
        last = event(problem_body(exchange.problem)) if exchange.problem is not None else b""
        await exchange.send_body(last, more=False)
