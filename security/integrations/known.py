"""The integrations and what credentials each provider needs: names that clients know (contract: fleet console §28).

`features` is what Pharos itself does once the integration is configured. Where that is nothing yet the description says
so: other parts of an installation may still use the credential.
"""

from dataclasses import dataclass
from enum import StrEnum

UNUSED = "Pharos takes prices from its price files and does not call the provider for them yet."


class Category(StrEnum):
    COMPUTE_CATALOG = "compute_catalog"
    AUTH = "auth"
    NOTIFICATION = "notification"


@dataclass(frozen=True)
class Integration:
    """One connection to a service outside. All of `variables` must be set in the environment of the server.

    A catalog of prices may take its key from the vault instead: the global secret `vault_name`, of type API_KEY.
    """

    id: str
    name: str
    description: str
    setup_url: str
    category: Category
    variables: tuple[str, ...]
    features: tuple[str, ...] = ()
    required: bool = False

    @property
    def vault_name(self) -> str | None:
        return f"pricing.{self.id.removesuffix('-pricing')}" if self.category == Category.COMPUTE_CATALOG else None


@dataclass(frozen=True)
class CredentialSpec:
    """What a deployment to a provider needs in the environment of its program."""

    provider_id: str
    name: str
    description: str
    setup_url: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    notes: str = ""


def _prices(id: str, name: str, setup_url: str, variable: str) -> Integration:
    text = f"Key for the prices of {name}. {UNUSED}"
    return Integration(f"{id}-pricing", f"{name} prices", text, setup_url, Category.COMPUTE_CATALOG, (variable,))


def _sign_in(id: str, name: str, setup_url: str) -> Integration:
    variables = (f"{id.upper()}_CLIENT_ID", f"{id.upper()}_CLIENT_SECRET")
    text = f"Application for signing in with {name}. Pharos does not offer that yet; people sign in with a password."
    return Integration(f"{id}-oauth", f"{name} sign-in", text, setup_url, Category.AUTH, variables)


INTEGRATIONS = {
    one.id: one
    for one in (
        _prices("fly", "Fly.io", "https://fly.io/user/personal_access_tokens", "PRICING_FLY_API_TOKEN"),
        _prices("runpod", "RunPod", "https://www.runpod.io/console/user/settings", "PRICING_RUNPOD_API_KEY"),
        _prices("northflank", "Northflank", "https://app.northflank.com/account/api", "PRICING_NORTHFLANK_API_TOKEN"),
        _prices("gcp", "Google Cloud", "https://console.cloud.google.com/apis/credentials", "PRICING_GCP_API_KEY"),
        _prices(
            "digitalocean", "DigitalOcean", "https://cloud.digitalocean.com/account/api/tokens",
            "PRICING_DIGITALOCEAN_TOKEN",
        ),
        _sign_in("github", "GitHub", "https://github.com/settings/developers"),
        _sign_in("google", "Google", "https://console.cloud.google.com/apis/credentials"),
        Integration(
            "resend", "Resend", "Key of the mail service Resend. Pharos sends its mail over SMTP, Resend's included.",
            "https://resend.com/api-keys", Category.NOTIFICATION, ("RESEND_API_KEY",),
        ),
        Integration(
            "smtp", "Mail server", "Sends what notification channels of the type EMAIL tell.",
            "", Category.NOTIFICATION, ("PHAROS_EMAIL_URL",), features=("email_notifications",),
        ),
    )
}  # fmt: skip

CREDENTIALS = {
    one.provider_id: one
    for one in (
        CredentialSpec(
            "fly", "Fly.io", "Machines of Fly.io.", "https://fly.io/user/personal_access_tokens", ("FLY_API_TOKEN",),
            notes="Not needed where the server's flyctl is signed in.",
        ),
        CredentialSpec(
            "runpod", "RunPod", "GPU machines of RunPod.", "https://www.runpod.io/console/user/settings",
            ("RUNPOD_API_KEY",),
        ),
        CredentialSpec(
            "northflank", "Northflank", "Services of Northflank.", "https://app.northflank.com/account/api",
            ("NORTHFLANK_API_TOKEN",),
        ),
        CredentialSpec("e2b", "E2B", "Sandboxes of E2B.", "https://e2b.dev/dashboard", ("E2B_API_KEY",)),
        CredentialSpec(
            "devpod-aws", "AWS with DevPod", "A DevPod workspace on AWS.", "https://console.aws.amazon.com/iam",
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"), ("AWS_SESSION_TOKEN",),
        ),
        CredentialSpec(
            "devpod-gcp", "Google Cloud with DevPod", "A DevPod workspace on Google Cloud.",
            "https://console.cloud.google.com/iam-admin/serviceaccounts", ("GOOGLE_APPLICATION_CREDENTIALS",),
            notes="Not needed where the server's gcloud is signed in.",
        ),
        CredentialSpec(
            "devpod-azure", "Azure with DevPod", "A DevPod workspace on Azure.",
            "https://portal.azure.com/#blade/Microsoft_AAD_IAM/ActiveDirectoryMenuBlade",
            ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"),
        ),
        CredentialSpec(
            "devpod-digitalocean", "DigitalOcean with DevPod", "A DevPod workspace on DigitalOcean.",
            "https://cloud.digitalocean.com/account/api/tokens", ("DIGITALOCEAN_TOKEN",),
        ),
        CredentialSpec(
            "docker", "Docker", "Containers of a Docker daemon.", "",
            notes="No credentials are needed: the daemon that the server reaches is used.",
        ),
        CredentialSpec(
            "kubernetes", "Kubernetes", "Pods of a Kubernetes cluster.", "", (), ("KUBECONFIG",),
            notes="~/.kube/config of the server when KUBECONFIG is not set.",
        ),
    )
}  # fmt: skip
