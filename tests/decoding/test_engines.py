"""Engines that answer in tokens rank as torch does; what a server may do wrong is said clearly."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from genrec.decoding import ItemWeights
from genrec.decoding.engines import HTTPEngine, TorchEngine, VLLMEngine, open_engine
from genrec.decoding.engines.token_engine import MAX_WANTED, TokenEngine
from genrec.errors import ConfigError, EngineError, ModelError
from genrec.testing import tiny_generator, tiny_prompt
from genrec.testing.tiny import tiny_codes


class PlainEngine(TokenEngine):
    """The generator as a plain language model over text and codes, each text read anew."""

    def __init__(self, generator):
        super().__init__(generator.vocabulary, generator.max_positions)
        self.generator = generator
        self.calls = []

    @torch.inference_mode()
    def log_weights(self, questions):
        self.calls.append(questions)
        table = self.generator.lm.get_input_embeddings().weight
        if self.vocabulary.num_new_tokens:
            table = torch.cat([table, self.generator.head.code_vectors])
        answers = []
        for question in questions:
            vectors = table[torch.tensor(question.tokens)][None]
            hidden = self.generator.lm.base_model(inputs_embeds=vectors).last_hidden_state[0, -1]
            answers.append(torch.log_softmax(table @ hidden, dim=0)[question.wanted].tolist())
        return answers


CASES = {
    "semantic": {"num_items": 60, "codes": tiny_codes(60, levels=3)},
    "more children than a question has room for": {"codes": np.arange(300, dtype=np.int32)[:, None]},
    "ids of several lengths": {"codes": np.array([[0, -1, -1], [1, 2, -1], [1, 3, 0], [1, 3, 4]], dtype=np.int32)},
}


@pytest.mark.parametrize("name", CASES)
def test_the_ranking_is_that_of_torch(name):
    generator = tiny_generator(**CASES[name])
    num_items, rng = generator.vocabulary.num_items, np.random.default_rng(0)
    prompts = [tiny_prompt(generator, rng.integers(0, num_items, length).tolist()) for length in (1, 4, 9)]
    seen = [rng.choice(num_items, 2, replace=False) for _ in prompts]
    weights = ItemWeights.from_seen(seen, num_items) + ItemWeights.from_priors(rng.normal(size=(3, num_items)))
    plain = PlainEngine(generator)
    for renormalise in (False, True):
        ours = TorchEngine(generator).beam_search(prompts, 5, 7, weights, renormalise=renormalise)
        found = plain.beam_search(prompts, 5, 7, weights, renormalise=renormalise)
        np.testing.assert_array_equal(found.items, ours.items)
        np.testing.assert_allclose(found.scores, ours.scores, atol=1e-4)
        np.testing.assert_allclose(found.logprobs, ours.logprobs, atol=1e-4)
    exact = TorchEngine(generator).rank_all(prompts, 5, weights)
    np.testing.assert_array_equal(plain.rank_all(prompts, 5, weights).items, exact.items)
    assert max(len(question.wanted) for call in plain.calls for question in call) <= MAX_WANTED


def test_all_beams_of_all_users_go_in_one_call_a_level():
    generator = tiny_generator(codes=np.indices((4, 4, 4)).reshape(3, -1).T + 4 * np.arange(3))
    engine = PlainEngine(generator)
    engine.beam_search([tiny_prompt(generator, [1]), tiny_prompt(generator, [2, 3])], 5, 5)
    assert [len(call) for call in engine.calls] == [2, 8, 10]


def test_a_prompt_that_leaves_no_room_is_refused():
    generator = tiny_generator(codes=tiny_codes(60, levels=3))
    engine = PlainEngine(generator)
    engine.max_length = 10
    with pytest.raises(ConfigError, match="need 16 positions, the engine has 10"):
        engine.beam_search([tiny_prompt(generator, [1, 2, 3, 4])])
    with pytest.raises(ConfigError, match="no prompts"):
        engine.beam_search([])


@pytest.fixture
def answering():
    """A server on this machine that answers what a function says: status and JSON, or text."""
    servers = []

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.reply({"data": [{"id": "m", "max_model_len": 128}]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.reply(*answer(body, self.headers))

            def reply(self, content, status=200):
                self.send_response(status)
                self.end_headers()
                self.wfile.write((content if isinstance(content, str) else json.dumps(content)).encode())

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def refused(message, status=400):
    return {"error": {"message": message}}, status


def top(body):
    logprobs = {f"token_id:{token}": -1.0 for token in body["logprob_token_ids"]}
    return {
        "choices": [{"index": i, "logprobs": {"top_logprobs": [logprobs]}} for i in range(len(body["prompt"]))]
    }, 200


def of_size(size):
    return lambda body, _: refused("out of vocab") if max(body["logprob_token_ids"]) >= size else top(body)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda *_: ("<html>", 200), "not as a vLLM server does"),
        (lambda *_: ({"choices": []}, 200), "does not report the tokens"),
        (lambda *_: ({"choices": [{"index": 0, "logprobs": None}]}, 200), "not as a vLLM server does"),
        (lambda *_: refused("who are you", 401), "set VLLM_API_KEY"),
        (lambda *_: ("busy", 503), "status 503: busy"),
        (of_size(7), "is another model"),
        (of_size(10_000), "is another model"),
    ],
)
def test_what_is_wrong_with_a_server_is_said(answering, answer, says):
    with pytest.raises(EngineError) as error:
        HTTPEngine(answering(answer), tiny_generator(num_items=20).vocabulary)
    assert says in str(error.value)


def test_a_server_that_fits_is_taken_with_the_key_it_wants(answering):
    generator, keys = tiny_generator(num_items=20), set()
    size = generator.vocabulary.text_size + generator.vocabulary.num_new_tokens

    def answer(body, headers):
        keys.add(headers["Authorization"])
        return of_size(size)(body, headers)

    with HTTPEngine(f"{answering(answer)}/v1", generator.vocabulary, api_key="k") as engine:
        assert engine.model == "m"
        assert np.isfinite(engine.beam_search([tiny_prompt(generator, [1])], 3).scores).all()
    assert keys == {"Bearer k"}


def test_no_server_and_no_such_model(answering):
    vocabulary = tiny_generator(num_items=20).vocabulary
    with pytest.raises(EngineError, match="no vLLM server answers"):
        HTTPEngine("http://127.0.0.1:9", vocabulary)
    with pytest.raises(EngineError, match="serves no model 'other'"):
        HTTPEngine(answering(of_size(22)) + "#other", vocabulary)


def test_names_of_engines_and_folders_that_are_none(tmp_path):
    vocabulary = tiny_generator(num_items=20).vocabulary
    with pytest.raises(ModelError, match="not a model folder"):
        open_engine("vllm", tmp_path, vocabulary)
    with pytest.raises(ModelError, match="not a merged export"):
        VLLMEngine(tmp_path, vocabulary)
