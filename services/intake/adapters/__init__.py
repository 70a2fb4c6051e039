"""The adapters that come with intake, one module each.

They are found by entry points, like anybody's. Where the project runs without being installed there are none, so they
stand here too.
"""

BUILTIN = {
    "generic": "services.intake.adapters.generic:GenericAdapter",
    "recording": "services.intake.adapters.recording:RecordingAdapter",
    "replay": "services.intake.adapters.replay:ReplayAdapter",
    "signup": "services.intake.adapters.signup:SignupAdapter",
    "stripe": "services.intake.adapters.stripe:StripeAdapter",
}
