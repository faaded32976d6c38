"""Synthetic districts and drills: they speak to the product as any outside sender would, through
import files and the door, so what an exercise shows is what a campaign would see.
"""
