"""Run somebody's PyTorch module on the recipe's weights and write a case folder of `golden/`.

    python parity_tests/golden/record.py package.module:Class --args "64, reduction=16" --input 2,64,7,9 --out FOLDER

A file's class is `path/file.py:Class`. `--help` lists the options; README.md in this folder says what they are for.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from recording.command import main

if __name__ == "__main__":
    main()
