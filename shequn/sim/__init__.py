"""Made-up communities: who joins, talks, buys and recommends, and what the totals must then be."""
