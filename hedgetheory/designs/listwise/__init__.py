"""RewardAnything: listwise scores under a principle."""
