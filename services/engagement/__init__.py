"""Engagement: who talks, who answers, who reacts, and the points members earn for each other."""
