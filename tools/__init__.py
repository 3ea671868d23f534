"""What the Makefile runs that is longer than a line. No part of the wheel."""
