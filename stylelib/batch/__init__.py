"""Many pictures: plan them, paint them here or elsewhere, save each one, report on all."""
