"""What is done differently on a graphics card, an NVIDIA one: all of it is here.

A card works through what it is told while Python tells it more. Two things keep it idle: small
tasks, which it finishes before the next one arrives, and questions, for whose answer Python waits.
So the hundreds of tasks of a loss and its gradient are captured once, as a CUDA graph, and then
started with one call; and whether a step went well is asked every few steps only.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ..core.statistics import STATISTICS, gram, mean_std
from ..errors import is_out_of_memory
from ..recipes import Recipe
from .lbfgs import FIRST, MEMORY, precondition
from .recovery import EXPLODED, SMALL, Adam, Descent, Optimizer, Reached

SWITCH = "STYLELIB_GRAPHS"  # an environment variable: 0 switches the graphs off
EVERY = 8  # steps after which it is asked whether they went well
WARM_UP = 2  # calls before one is captured: they load kernels, and show whether it can be

_ONE_CAPTURE = threading.Lock()  # at a time in a process, and nothing else on its stream


def on_card(device: torch.device) -> bool:
    """Whether the habits of this module are for that device."""
    return device.type == "cuda"


# ------------------------------------------------------------------- loss and gradient


_WAITING = {
    torch.Tag.data_dependent_output,
    torch.Tag.dynamic_output_shape,
    torch.Tag.nondeterministic_seeded,
}


class Waits(RuntimeError):
    """What was to be captured asks the card for something, or draws random numbers."""


class Rehearsal(TorchDispatchMode):
    """Raises `Waits` at an operation whose result Python would have to wait for.

    A graph can't hold these: numbers and conditions that Python reads, shapes that depend on
    values, copies between the card and main memory. Nor random numbers, which would be others.
    """

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        given = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        name = function.overloadpacket.__name__
        if name in ("index", "index_put", "index_put_"):  # by numbers, nothing depends on values
            waits = any(x.dtype in (torch.bool, torch.uint8) for x in given[1:])
        else:
            waits = bool(_WAITING & set(function.tags)) or name == "_linalg_check_errors"
        if waits:
            raise Waits(f"{function} has a result that Python waits for")
        made = function(*args, **kwargs)
        places = {x.device for x in tree_leaves(made) if isinstance(x, Tensor)}
        # A single number from main memory travels with the task.
        places |= {x.device for x in given if x.dim() or not places}
        if len(places) > 1 or name == "lift_fresh":
            raise Waits(f"{function} copies numbers to the card or from it")
        return made


class Backend(Protocol):
    """A stream of work beside the usual one, which can be captured."""

    def beside(self, work: Callable[[], Any]) -> Any:
        """Do some work on the stream, after what was begun before and before what comes next."""

    def capture(self, work: Callable[[], Any]) -> tuple[Callable[[], object], Any]:
        """How to do the work again, and the tensors that it fills each time it is done."""


class CudaStream:
    """A stream of a card; see PyTorch's notes on CUDA graphs."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._stream = device, torch.cuda.Stream(device)

    def beside(self, work: Callable[[], Any]) -> Any:
        """See `Backend`."""
        usual = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(usual)
        with torch.cuda.stream(self._stream):
            made = work()
        usual.wait_stream(self._stream)
        return made

    def capture(self, work: Callable[[], Any]) -> tuple[Callable[[], object], Any]:
        """See `Backend`."""
        graph, usual = torch.cuda.CUDAGraph(), torch.cuda.current_stream(self._device)
        try:  # other painters' threads may do what this one must not
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                made = work()
        finally:
            torch.cuda.set_stream(usual)  # PyTorch forgets this where a capture fails
        return graph.replay, made


def stream(device: torch.device) -> Backend:
    """A stream to capture on."""
    return CudaStream(device)


Loss = Callable[[Tensor], tuple[Tensor, dict[str, Tensor]]]
"""What an `Objective` does: the total and its parts, of a picture."""


class Failed:
    """Whether a capture has failed: then an old driver is likely, and no other is tried."""

    ever = False


class Captured:
    """A loss whose value and gradient are computed by replaying a graph.

    Where that is not possible it calls the loss itself, and the numbers are the same. The picture
    must stay in the same place, and what the loss compares it with must not change.

    Parameters
    ----------
    loss : callable
        Maps a picture to its total loss, for the gradient, and its parts.
    device : torch.device
    """

    def __init__(self, loss: Loss, device: torch.device) -> None:
        self.loss, self.replays = loss, 0
        self._calls, self._plain = 0, False
        self._stream = stream(device)
        self._picture: Tensor | None = None
        self._replay: Callable[[], object] | None = None
        self._made: tuple[Tensor, dict[str, Tensor], Tensor] | None = None

    def __call__(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The total loss of the picture, for the gradient, and its parts."""
        if self._plain or Failed.ever or not self._stays(image):
            return self.loss(image)
        try:
            total, parts, gradient = self._next()
        except Waits:
            self._plain = True
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            self._plain = True
            Failed.ever = Failed.ever or self._calls >= WARM_UP
        else:
            return _Known.apply(image, total, gradient), parts
        self._replay = self._made = None
        return self.loss(image)

    def _stays(self, image: Tensor) -> bool:
        """Whether this is the picture that the graph reads, or the first one."""
        if not (image.requires_grad and torch.is_grad_enabled()):
            return False
        if self._picture is None:
            self._picture = image.detach()
        kept = self._picture
        return image.data_ptr() == kept.data_ptr() and image.shape == kept.shape

    def _next(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        if self._replay is None:
            with _ONE_CAPTURE:
                if self._calls < WARM_UP:
                    work = self._work if self._calls else self._rehearse
                    made: tuple[Tensor, dict[str, Tensor], Tensor] = self._stream.beside(work)
                    self._calls += 1  # after it: an interrupt lets it be done again
                    return made
                self._replay, self._made = self._stream.capture(self._work)
        assert self._replay is not None and self._made is not None
        self._replay()
        self.replays += 1
        return self._made

    def _rehearse(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        with Rehearsal():
            return self._work()

    def _work(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        assert self._picture is not None
        # A leaf of its own: that of the pixels belongs to the stream that they were made on.
        leaf = self._picture.detach().requires_grad_()
        total, parts = self.loss(leaf)
        (gradient,) = torch.autograd.grad(total, leaf)
        return total.detach(), {name: part.detach() for name, part in parts.items()}, gradient


class _Known(torch.autograd.Function):
    """A loss of the picture, and its gradient, both of which are known already."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, total: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return total.clone()  # the graph will write the next one to the same place

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return above * gradient, None, None


def switched_on() -> bool:
    """Whether the user wants graphs to be tried."""
    return os.environ.get(SWITCH, "1") != "0"


def captured(loss: Loss, recipe: Recipe, dtype: torch.dtype, device: torch.device) -> Loss:
    """The loss as it is best computed on that device, in convolutions of that dtype.

    A statistic of one's own may keep a count, or be interested in each call, and the loss in
    float16 reads its own value: these are called each time.
    """
    known = STATISTICS.get(recipe.statistic) in (gram, mean_std)
    if on_card(device) and switched_on() and known and dtype != torch.float16:
        return Captured(loss, device)
    return loss


def release(device: torch.device) -> None:
    """Return the memory of graphs and tensors that are gone to the card."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


# ------------------------------------------------------------------- faster formulas


def sums_of_products(flat: Tensor) -> tuple[Tensor, Tensor]:
    """The sums of vectors (B, N, C) over N, and of the products of each two of their numbers.

    In one piece: bands, which suit a processor's cache, are many small tasks. Numbers of 16 bits
    are multiplied as they are and added up in float32, where this PyTorch can.
    """
    exact = torch.promote_types(flat.dtype, torch.float32)
    total = flat.sum(1, keepdim=True, dtype=exact)
    if flat.dtype != exact and _adds_in_float32(flat.dtype, flat.device):
        return total, torch.bmm(flat.mT, flat, out_dtype=exact)
    flat = flat.to(exact)
    return total, flat.mT @ flat


@lru_cache
def _adds_in_float32(dtype: torch.dtype, device: torch.device) -> bool:
    one = torch.ones(1, 1, 1, dtype=dtype, device=device)
    try:
        torch.bmm(one, one, out_dtype=torch.float32)
    except (RuntimeError, TypeError):
        return False
    return True


def with_border(maps: Tensor) -> Tensor:
    """The maps with their edges repeated once around them.

    PyTorch's own way adds up the gradients of the corners in any order, so that no two pictures
    would be the same to the last bit.
    """
    maps = torch.cat([maps[..., :1, :], maps, maps[..., -1:, :]], 2)
    return torch.cat([maps[..., :1], maps, maps[..., -1:]], 3)


class LBFGS:
    """`engine.lbfgs.LBFGS` in a few large tasks, none of which Python waits for.

    The same directions, but for rounding, by the compact form of Byrd, Nocedal, Schnabel,
    *Representations of quasi-Newton matrices and their use in limited memory methods* (1994):
    with the pairs as the rows of S and Y, and R the part of S Yᵀ on and above its diagonal D,

        a = R⁻¹ S g,   r = P (g - Yᵀ a),   direction = r + Sᵀ R⁻ᵀ (D a - Y r).

    A pair that says nothing (see there) is kept as zeros: it changes nothing, and takes the place
    of an older one.

    Parameters
    ----------
    pixels, painted, first
        See `engine.lbfgs.LBFGS`.
    """

    def __init__(self, pixels: Tensor, painted: Tensor | None = None, first: float = FIRST) -> None:
        self.pixels, self.painted, self.first = pixels, painted, first
        self._s, self._y = (pixels.new_zeros(MEMORY, pixels.numel()) for _ in range(2))
        self._products = torch.eye(MEMORY, dtype=pixels.dtype, device=pixels.device)  # S Yᵀ
        self._scale = pixels.new_full((), torch.nan)  # of P; not a number until a pair says it
        self._count = 0
        self._before: tuple[Tensor, Tensor] | None = None
        place = torch.arange(MEMORY, device=pixels.device)
        # For each place of the newest pair: all places by age, and the age of what is there.
        self._by_age = (place[:, None] + 1 + place) % MEMORY
        self._age = (place - place[:, None] - 1) % MEMORY

    def zero_grad(self) -> None:
        """Forget the gradient of the step before."""
        self.pixels.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the pixels."""
        pixels, gradient = self.pixels, self.pixels.grad
        assert gradient is not None
        if self._before is not None:
            self._remember(pixels - self._before[0], gradient - self._before[1])
        direction = self._direction(gradient)
        self._before = pixels.clone(), gradient.clone()
        pixels.sub_(direction)

    def _remember(self, s: Tensor, y: Tensor) -> None:
        curvature = torch.dot(s.flatten(), y.flatten())
        good = curvature > 0
        s, y = torch.where(good, s, 0.0), torch.where(good, y, 0.0)
        flat_s, flat_y, place = s.flatten(), y.flatten(), self._count % MEMORY
        eased = torch.dot(flat_y, self._precondition(y).flatten())
        self._scale = torch.where(good, curvature / eased, self._scale)
        self._s[place], self._y[place] = flat_s, flat_y
        self._products[place] = self._y @ flat_s
        self._products[:, place] = self._s @ flat_y
        self._products[place, place] = torch.where(good, curvature, 1.0)
        self._count += 1

    def _direction(self, gradient: Tensor) -> Tensor:
        newest = (self._count - 1) % MEMORY
        by_age, age = self._by_age[newest], self._age[newest]
        right = self._products[by_age[:, None], by_age].triu()
        known = (self._s @ gradient.flatten())[by_age, None]
        a = torch.linalg.solve_triangular(right, known, upper=True)
        left = gradient - (a[age, 0] @ self._y).view_as(gradient)
        r = self._precondition(left)
        first = self.first / r.abs().mean().clamp_min(1e-30)
        r = r * torch.where(self._scale.isfinite(), self._scale, first)
        rest = right.diagonal()[:, None] * a - (self._y @ r.flatten())[by_age, None]
        b = torch.linalg.solve_triangular(right.mT, rest, upper=False)
        rise: Tensor = (b[age, 0] @ self._s).view_as(gradient)
        return r + rise

    def snapshot(self) -> Any:
        """What the next step changes, apart from the pixels, for `restore`."""
        place = self._count % MEMORY
        row = self._s[place].clone(), self._y[place].clone()
        return self._count, row, self._products.clone(), self._scale, self._before

    def restore(self, snapshot: Any) -> None:
        """Undo the step taken since a snapshot, which can be used only once."""
        self._count, row, self._products, self._scale, self._before = snapshot
        place = self._count % MEMORY
        self._s[place], self._y[place] = row

    def _precondition(self, gradient: Tensor) -> Tensor:
        if self.painted is None:
            return precondition(gradient)
        return precondition(gradient * self.painted) * self.painted


# ------------------------------------------------------------------- steps without waiting


class CardDescent(Descent):
    """A `Descent` that learns only now and then whether its steps were sound.

    The card judges each step itself. After one that went wrong it keeps the last sound picture,
    the best one, and the count of sound steps, whatever the next steps do, until `settle` asks. So
    the picture is always sound, and what follows is what would have followed at once.
    """

    def __init__(
        self,
        pixels: Tensor,
        painted: Tensor | None,
        recipe: Recipe,
        first: float,
        reached: Reached,
    ) -> None:
        super().__init__(pixels, painted, recipe, first, reached)
        self._all_sound = torch.ones((), dtype=torch.bool, device=pixels.device)
        self._least = pixels.new_full((), torch.inf)  # the loss of the best picture
        self._wrong = pixels.new_zeros(())  # the loss of the first step that was not sound
        self._sound = pixels.new_zeros(())  # the number of sound steps since `settle`
        self._asked, self._steps = reached.iteration, 0  # then, and the steps since
        self._image = pixels.detach().clamp(0, 1)

    def _start(self, first: float) -> Optimizer:
        if self.recipe.optimizer == "adam":
            return Adam(self._pixels, self.recipe.learning_rate)
        return LBFGS(self._pixels, self._painted, first)

    @property
    def due(self) -> bool:
        """Whether it is time to `settle`."""
        return self._steps >= EVERY

    @torch.no_grad()
    def _judge(self, before: Tensor) -> None:
        pixels, loss = self._pixels.data, self.loss.detach()
        there = pixels.isfinite().all()
        limit = EXPLODED * self._least.clamp_min(SMALL * self._weights())
        sound = self._all_sound & there & loss.isfinite() & (loss <= limit)
        wrong = torch.where(there, loss, torch.nan)
        wrong = torch.where(self._all_sound, wrong, self._wrong)
        better = sound & (loss <= self._least)
        best, least = torch.where(better, before, self.best), torch.where(better, loss, self._least)
        if self.recipe.clamp:
            pixels.clamp_(0, 1)
        image = torch.where(sound, pixels.clamp(0, 1), self._image)
        count = self._sound + sound
        # All at once, for an interrupt may come before this, or after.
        self._all_sound, self._least, self._wrong, self._sound = sound, least, wrong, count
        self.best, self._image = best, image
        self._steps += 1
        self._reached.image, self._reached.iteration = image, self._asked + self._steps

    def settle(self) -> bool:
        """Ask the card whether all steps were sound; if not, count only those before."""
        if not self._steps:
            return True
        sound, self.total = torch.stack([self._sound, self._wrong]).tolist()
        good = int(sound) == self._steps
        self._asked += int(sound)
        self._reached.iteration, self._steps = self._asked, 0
        self._sound = torch.zeros_like(self._sound)
        return good

    def restart(self) -> bool:
        """See `Descent`."""
        worth_it = super().restart()
        self._all_sound = torch.ones_like(self._all_sound)
        self._image = self._pixels.detach().clamp(0, 1)
        return worth_it


def descent_for(device: torch.device) -> type[Descent]:
    """The `Descent` for that device."""
    return CardDescent if on_card(device) else Descent


# ------------------------------------------------------------------- the same picture again


class _Deterministic:
    """cuDNN's settings, which hold for the whole process, as long as anybody here paints."""

    lock, users, before = threading.Lock(), 0, (False, False)


@contextmanager
def habits(device: torch.device) -> Iterator[None]:
    """Let cuDNN take algorithms that give the same numbers each time, while this paints.

    By default it may take one for the gradients of convolutions that adds in any order.
    """
    if device.type != "cuda":
        yield
        return
    cudnn, shared = torch.backends.cudnn, _Deterministic
    with shared.lock:
        if not shared.users:
            shared.before = cudnn.deterministic, cudnn.benchmark
            cudnn.deterministic, cudnn.benchmark = True, False
        shared.users += 1
    try:
        yield
    finally:
        with shared.lock:
            shared.users -= 1
            if not shared.users:
                cudnn.deterministic, cudnn.benchmark = shared.before


def numbers_of(parts: Mapping[str, Tensor]) -> Tensor:
    """The parts of a loss as one tensor of its own."""
    return torch.stack([part.detach().float() for part in parts.values()])
