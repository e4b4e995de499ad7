"""What agents answer to the driver `agent`; entered when the app starts."""

from fleet.agents import answers
from fleet.providers.agent import BACKUP_ANSWER, SERVICE_ANSWER

for _type in (SERVICE_ANSWER, BACKUP_ANSWER):
    answers.on(_type, answers.relayed(_type))
