"""The rules of intake: who is a member, and where an action goes. Pure, independent of the order of facts."""
