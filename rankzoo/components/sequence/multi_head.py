"""Multi-head attention, written out (Vaswani et al., NeurIPS 2017): the arithmetic that several kinds of this slot share.

One head: Q = X W_Q, K = H W_K, V = H W_V, S = Q Kᵀ / √d_k, A = softmax(S) over the visible keys, O = A V. The heads' outputs
stand side by side, then W_O where there is one. The scale keeps the variance of a score near 1, whatever the width.
"""
from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.sequence.filled import shares, spread, summed
from rankzoo.components.sequence.tokens import masked_softmax
from rankzoo.errors import ZooError, axes
from rankzoo.shape import Part
from rankzoo.signals import Sequence


class MultiHead(nn.Module):
    """`heads` heads of `width`; `out` says whether W_O follows, `scale` whether scores are divided by √width, `asking` how wide
    what asks is, where it is not as wide as what is asked."""

    def __init__(self, inputs: int, heads: int, width: int, bias: bool = True, out: bool = True, scale: bool = True,
                 asking: int = 0):
        super().__init__()
        self.heads, self.scale = heads, width ** -0.5 if scale else 1.0
        self.query, self.key, self.value = (nn.Linear(each, heads * width, bias=bias)
                                            for each in (asking or inputs, inputs, inputs))
        self.out = nn.Linear(heads * width, inputs, bias=bias) if out else None

    def forward(self, asking: Tensor, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """asking (row, query, width), tokens (row, key, width), mask (row, key) → (row, query, …), A (row, head, query, key).

        Where no key is visible A is zero, so that the values mix to zero; with W_O its bias is all that is left.
        """
        q, k, v = self.apart(self.query(asking)), self.apart(self.key(tokens)), self.apart(self.value(tokens))
        scores = (q * self.scale) @ k.transpose(2, 3)  # (row, head, query, key)
        weights = masked_softmax(scores, mask[:, None, None, :])
        mixed = (weights @ v).transpose(1, 2).flatten(2)  # (row, query, head · width)
        return (mixed if self.out is None else self.out(mixed)), weights

    def parts(self, weights: Tensor, tokens: Tensor) -> Tensor:
        """What each answer owes to each key, where no map has a bias: A (row, head, query, key), tokens (row, key, width) → (row,
        query, key, …), whose sum over the keys is the answer."""
        weighed = weights.unsqueeze(4) * self.apart(self.value(tokens)).unsqueeze(2)  # (row, head, query, key, width)
        mixed = weighed.permute(0, 2, 3, 1, 4).flatten(3)
        return mixed if self.out is None else self.out(mixed)

    def over_filled(self, asking: Tensor, items: Tensor, past: Sequence) -> Tensor:
        """The same for one query a row, (row, width), over the filled positions alone, (item, width): → (row, …)."""
        asked, apart = spread(self.query(asking) * self.scale, past), (self.heads, -1)
        scores = (asked * self.key(items)).unflatten(1, apart).sum(dim=2)  # (item, head)
        weighed = shares(scores, past).unsqueeze(2) * self.value(items).unflatten(1, apart)  # (item, head, width)
        mixed = summed(weighed.flatten(1), past)  # (row, head · width)
        return mixed if self.out is None else self.out(mixed)

    def apart(self, x: Tensor) -> Tensor:
        """(row, position, head · width) → (row, head, position, width)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


def multi_head_parts(path: str, inputs: int, inner: int, queries: int, keys: int, heads: int, bias: bool = True,
                     out: bool = True, asking: int = 0, past: bool = False) -> tuple[Part, ...]:
    """Count of a MultiHead of `inner` = heads · width numbers for `queries` asking tokens and `keys` answering ones, which are
    `past` items where these are asked by something else.

    The maps of the heads cost the same however many there are: 2·queries·keys·inner for the scores, as much for the mixing.
    """
    parts = (linear_part(f"{path}.query", asking or inputs, inner, bias, times=queries),
             *(replace(linear_part(f"{path}.{name}", inputs, inner, bias, times=keys), past=past) for name in ("key", "value")),
             Part(f"{path}.maps", 0, 4 * queries * keys * inner, (heads, queries, keys),
                  products=f"2 × 2 × {queries:,} × {keys:,} × {inner:,}"))
    return (*parts, linear_part(f"{path}.out", inner, inputs, bias, times=queries)) if out else parts


def heads_rule(asking: str, asked: str, heads: int) -> str:
    """What a head with biases and a scale hands on, o, in LaTeX; `asking` is one vector, `asked` rows of keys."""
    k = "_k" if heads > 1 else ""
    maps = [rf"{name}{k}={read}W_{name.upper()}{'^k' if k else ''}+b_{name.upper()}{'^k' if k else ''}"
            for name, read in (("q", asking), ("K", asked), ("V", asked))]
    return rf"o{k}=\mathrm{{softmax}}\big(q{k}K{k}^\top/\sqrt{{d_k}}\big)\,V{k},\quad " + r",\; ".join(maps)


def head_width(heads: int, token: int, at: str) -> int:
    """d_k = d / h; raises where the heads cannot share a token's numbers evenly."""
    if token % heads:
        fits = [n for n in range(1, token + 1) if not token % n]
        near = min(fits, key=lambda n: abs(n - heads))
        raise ZooError("{heads} heads cannot share the {token} numbers of a token evenly.",
                       "Choose a number of heads among {fitting}, or another token width.", at=f"{at}.heads", heads=heads,
                       token=token, fitting=", ".join(map(str, fits)), cure=(f"{at}.heads", near),
                       comes=axes("L", token), needs=axes("L", f"{heads}·n"))
    return token // heads
