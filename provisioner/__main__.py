"""``python -m provisioner`` is ``provisioner``."""

from provisioner.cli.main import main

if __name__ == "__main__":
    main()
