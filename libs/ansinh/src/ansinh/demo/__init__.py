"""The main job of the product, run from outside: only public HTTP APIs, as the people and partners of a province would use them."""

from ansinh.demo.run import DemoFailed, run
from ansinh.demo.stack_info import StackInfo

__all__ = ["DemoFailed", "StackInfo", "run"]
