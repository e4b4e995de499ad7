"""What is installed on this machine: packages, and keys that open it. Collected by a process of its own."""
