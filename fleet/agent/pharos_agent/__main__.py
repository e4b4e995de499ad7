import sys

from pharos_agent.main import main

sys.exit(main())
