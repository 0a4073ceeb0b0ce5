"""Record what TensorFlow 1.15 makes of the graphs in parity_tests/tf1_scenarios.py.

Run with TensorFlow 1.15 (Python 3.7): python record.py, which writes recorded.json beside this file.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..")]
sys.path[:0] = [os.path.join(HERE, "..", "tf1")]

import generate  # the functions of the seed document, line by line
import tensorflow as tf
import tf1_scenarios


def main():
    found = {each.__name__: tf1_scenarios.described(tf, generate, each) for each in tf1_scenarios.SCENARIOS}
    found = {"tensorflow": tf.__version__, "graphs": found, "moved": tf1_scenarios.moved(tf, generate)}
    with open(os.path.join(HERE, "recorded.json"), "w") as file:
        file.write(generate.compact(found) + "\n")


if __name__ == "__main__":
    main()
