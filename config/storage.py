"""How static files are stored: under names that tell their content, compressed once."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """gzip only. Where a brotli library happens to be installed, its highest level would cost the first start a
    minute of CPU and save a few kilobytes."""

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(**options, use_brotli=False)
